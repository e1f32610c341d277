// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_PORT_VARIANT_HPP
#define CLOSESIDE_LAB_PORT_VARIANT_HPP

#include "client.hpp"

#include <closeside/close_policy.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace lab::port {

enum class path : std::uint8_t {
    loopback, ///< client and server on one host, by 127.0.0.1
    veth      ///< on two
};

constexpr const char* to_string(path p) noexcept { return p == path::loopback ? "loopback" : "veth"; }

/// What one run differs in.
struct variant {
    path way = path::loopback;
    int tw_reuse = 0;
    bool timestamps = true; ///< net.ipv4.tcp_timestamps of the client; without them a connection has none
    closeside::side closes_first = closeside::side::local; ///< local: the client

    /// The client's ports are bound for 60 s each.
    bool holds_long() const noexcept {
        return closes_first == closeside::side::local &&
               (!timestamps || tw_reuse == 0 || (tw_reuse == 2 && way == path::veth));
    }
};

struct dimensions {
    std::size_t ports = 0;             ///< an even number: the kernel leaves the last of an odd one alone
    std::chrono::milliseconds delay{}; ///< tcp_tw_reuse_delay, if the kernel has it
    bool waits_for_time_wait = false;  ///< until the ports that are bound for 60 s are free again
};

struct outcome {
    std::size_t local_ports = 0; ///< what the host check counts
    double capacity = 0;         ///< connects a second by the host check's arithmetic
    double simulated = 0;        ///< the same by the simulation of closeside-check capacity; 0: there is no limit
    connects made;
    std::optional<double> rate; ///< connects a second in the long run; nothing: it was not waited for
    std::size_t time_wait = 0;  ///< of the client's ends, right after the loop
    std::string cure;           ///< a setting that frees ports at once; empty: there was no need
    bool recovered = false;     ///< async_connect succeeds after the cure
};

/// A client connects to one address and port, again and again, through a small range of local ports. Blocks until it is over.
outcome run(const variant& chosen, const dimensions& size);

} // namespace lab::port

#endif
