// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_PEER_HPP
#define CLOSESIDE_LAB_TLS_PEER_HPP

#include "channel.hpp"
#include "variant.hpp"

#include "observation/endpoint.hpp"

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>

namespace lab::tls {

/// How the server's end of the connection looked to a peer.
enum class end_seen : std::uint8_t {
    not_looked_for, ///< it closed, reset or stopped before
    close_notify,
    fin_alone, ///< without close_notify: truncation to TLS
    reset,
    nothing ///< none of these until it gave up
};

const char* to_string(end_seen e) noexcept;

/// What a peer tells of its connection.
struct peer_view {
    std::uint64_t received = 0; ///< bytes of the reply
    end_seen end = end_seen::not_looked_for;
    std::string failure; ///< why it could not do what it does; empty otherwise
};

/// A client of one kind.
class peer {
public:
    explicit peer(const variant& what) : what_(what) {}

    /// Lives through one connection, from the calling thread's host. A kind that never ends by itself holds on until
    /// `stop`; every wait is bounded.
    void run(observation::endpoint server, const std::stop_token& stop);

    /// It has done all that it does by itself. From any thread.
    bool finished() const noexcept { return finished_; }

    /// Once run() has returned.
    const peer_view& view() const noexcept { return view_; }

private:
    void converse(observation::endpoint server, const std::stop_token& stop);
    void read(channel& with, std::uint64_t enough, bool sends);

    variant what_;
    peer_view view_;
    std::atomic<bool> finished_ = false;
};

} // namespace lab::tls

#endif
