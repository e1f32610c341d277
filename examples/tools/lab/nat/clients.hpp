// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_NAT_CLIENTS_HPP
#define CLOSESIDE_LAB_NAT_CLIENTS_HPP

#include "observation/segment.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lab::nat {

inline constexpr std::size_t request_size = 16;
inline constexpr std::size_t reply_size = 64;

/// How one client's connect(2) went.
struct attempt {
    std::optional<std::chrono::microseconds> connected; ///< how long it took; nothing: it did not succeed
    int error = 0;                                      ///< errno; ETIMEDOUT also if the client's own limit ended it
    bool answered = false;                              ///< the whole reply came
};

inline constexpr std::chrono::milliseconds usual_patience{500};

/// Clients connect to `server` at the same time from the calling thread's host, from `count` ports beginning with `first`.
/** Each gives its connect `limit`, sends a request, reads the reply, and closes when the server has closed, or when it has
 *  waited `patience` for that: with a server that closes first, the server's FIN is the first; with one that does not, the
 *  client's is. Plain sockets and poll(2). Returns when all are closed. */
std::vector<attempt> connect_at_once(observation::endpoint server, std::uint16_t first, std::size_t count,
                                     std::chrono::milliseconds limit,
                                     std::chrono::milliseconds patience = usual_patience);

} // namespace lab::nat

#endif
