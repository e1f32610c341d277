// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_RESTART_OLD_SERVER_HPP
#define CLOSESIDE_LAB_RESTART_OLD_SERVER_HPP

#include "../support/observed.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lab::restart {

inline constexpr std::uint16_t server_port = 80;

struct sharing {
    bool reuse_address = false;
    bool reuse_port = false;
};

/// "SO_REUSEADDR"
std::string to_string(sharing s);

/// A TCP socket of the calling thread's host that is bound to port 80, or errno.
struct bound_socket {
    descriptor socket;
    int error = 0;
};
bound_socket bind_port(sharing options);

/// Listens, too; `error` is of whichever call failed.
bound_socket listen_on_port(sharing options);

/// What a client tells the server to do, in the first byte that it sends.
enum class order : char { close = 'c', keep = 'k' };

/// A process that accepts and does what clients tell it, until it is stopped.
process serve(const descriptor& listener);

/// A process that took part in the old server's work and finishes what it has: it holds `connections`, and not the listener.
/** It holds them when this returns; close them here. */
process finish(const descriptor& listener, const std::vector<descriptor>& connections);

/// The program sleep(1), started by a server that forgot close-on-exec on its listener.
process leak_to_program(const descriptor& listener);

descriptor accept_one(const descriptor& listener);

} // namespace lab::restart

#endif
