// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_ORPHAN_VARIANT_HPP
#define CLOSESIDE_LAB_ORPHAN_VARIANT_HPP

#include "server.hpp"

#include <closeside/close_policy.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lab::orphan {

/// What the peers do when the server has closed.
enum class behaviour : std::uint8_t {
    never_close,   ///< they acknowledge everything, and keep their sockets open
    read_slowly,   ///< the same, but they take longer to read than drain_time
    close_late,    ///< they close when the server's descriptors have been released
    silent,        ///< the path to them is dead: nothing is acknowledged
    silent_a_while ///< the same, until the server's descriptors have been released
};

const char* to_string(behaviour b) noexcept;

/// What one run differs in.
struct variant {
    behaviour peers = behaviour::never_close;
    closeside::fin_wait2 linger2 = closeside::fin_wait2::system;
    int fin_timeout = 60;   ///< net.ipv4.tcp_fin_timeout
    int orphan_retries = 0; ///< net.ipv4.tcp_orphan_retries; 0: 8

    /// How long the close waits without progress; longer if a small window lets it come in large steps.
    std::chrono::milliseconds drain_time() const noexcept {
        return std::chrono::milliseconds(peers == behaviour::read_slowly ? 1000 : 200);
    }

    bool skips() const noexcept { return linger2 == closeside::fin_wait2::skip; }
    bool ever_silent() const noexcept { return peers == behaviour::silent || peers == behaviour::silent_a_while; }

    /// How long the kernel is to keep an orphan in FIN-WAIT-2.
    double fin_wait2_seconds() const noexcept;
};

/// "linger2 = 2 s", "system, tcp_fin_timeout = 5"
std::string name_of_linger2(const variant& v);

/// The server's orphans at one moment.
struct sample {
    double at = 0; ///< seconds since the descriptors were released
    std::size_t fin_wait1 = 0;
    std::size_t fin_wait2 = 0;
};

struct outcome {
    std::vector<ended> endings;
    std::vector<sample> samples;
    std::size_t most_fin_wait1 = 0;
    std::size_t most_fin_wait2 = 0;
    std::optional<double> half_gone; ///< seconds until half the orphans were gone; nothing: there was none
    std::optional<double> gone;      ///< seconds until the last was; nothing: they never went, or never were
    std::uint64_t queued = 0;        ///< bytes that the kernel had queued for the orphans in FIN-WAIT-1, without FINs
    std::uint64_t received = 0;      ///< bytes that the peers got
    std::size_t resets = 0;          ///< that the peers saw
    std::size_t time_wait = 0;       ///< on the server in the end
    std::map<std::string, long long> counted; ///< by how much the server's counters moved
};

extern const std::vector<std::string> counter_names;

/// `connections` peers connect to a server, which replies and closes each, and gives them drain_time to close. Watches
/// what the kernel does with its orphans, until they are gone or `limit` is over.
outcome run(const variant& chosen, std::size_t connections, std::chrono::milliseconds limit);

} // namespace lab::orphan

#endif
