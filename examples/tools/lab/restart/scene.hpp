// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_RESTART_SCENE_HPP
#define CLOSESIDE_LAB_RESTART_SCENE_HPP

#include "../support/observed.hpp"

#include "old_server.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <sys/types.h>

namespace lab::restart {

/// What the old server leaves behind.
enum class legacy : std::uint8_t {
    connections, ///< it has stopped: connections only
    live,        ///< it has not stopped
    leaked       ///< it has stopped; a program that it started has its listener
};

struct amounts {
    std::size_t closed_by_server = 0; ///< TIME-WAIT
    std::size_t kept = 0;             ///< when it stops: FIN-WAIT-2
    std::size_t silent = 0;           ///< each with a peer that has gone: FIN-WAIT-1, CLOSING, and LAST-ACK
    std::size_t worker = 0;           ///< each in a process that lives on: ESTABLISHED, and CLOSE-WAIT
};

using states = std::map<tcp_state, std::size_t>;

/// A server with a past, on a host of its own, and its clients. It has stopped when the constructor returns, or is `live`.
class scene {
public:
    scene(sharing options, legacy what, const amounts& many);

    const host& server() const noexcept { return server_; }
    states connections() const; ///< on the server's port

    /// Processes that have something open there: the old server's, a worker's, a program's.
    pid_t old_process() const noexcept { return serving_->id(); }
    std::optional<pid_t> worker() const;
    std::optional<pid_t> program() const;

private:
    void hand_to_worker(const descriptor& listener, std::size_t each);
    void let_server_close(std::size_t many);
    void keep(std::vector<descriptor>& here, const host& from, std::size_t many);
    void wait_for_server(std::size_t kept) const;
    std::size_t count_of(tcp_state state) const;

    host server_{"server"};
    host client_{"client"};
    host gone_{"gone"};
    std::optional<process> worker_;
    std::optional<process> program_;
    std::optional<process> serving_;
    std::vector<descriptor> clients_;
};

} // namespace lab::restart

#endif
