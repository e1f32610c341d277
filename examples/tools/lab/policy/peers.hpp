// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_PEERS_HPP
#define CLOSESIDE_LAB_POLICY_PEERS_HPP

#include "scenario.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace lab::policy {

/// What a peer saw of its connection through its own descriptor.
struct peer_view {
    std::uint64_t sent = 0;     ///< bytes that its send calls accepted
    std::uint64_t received = 0; ///< bytes of the reply that it read
    bool end_of_file = false;   ///< it read to the server's FIN
    int error = 0;              ///< errno of the call or the poll that ended the connection for it
    bool sent_reset = false;    ///< it aborted on purpose
    bool finished = false;      ///< it did all it does by itself
};

/// A client of one kind, on plain POSIX calls: nothing of it is the library's or Asio's.
class peer {
public:
    peer(peer_kind kind, const settings& lab, std::uint16_t server_port) : kind_(kind), lab_(lab), port_(server_port) {}

    /// Lives through one connection. A kind that never ends by itself holds on until `stop`; every wait is bounded.
    void run(std::stop_token stop);

    /// 0 until connected.
    std::uint16_t local_port() const noexcept { return local_port_; }

    /// Safe from any thread while run() is at work.
    peer_view view() const;

private:
    class connection;

    peer_kind kind_;
    settings lab_;
    std::uint16_t port_;
    std::atomic<std::uint16_t> local_port_ = 0;
    mutable std::mutex mutex_;
    peer_view view_;
};

} // namespace lab::policy

#endif
