// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_LOSS_CLIENTS_HPP
#define CLOSESIDE_LAB_LOSS_CLIENTS_HPP

#include "reply.hpp"

#include "observation/segment.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lab::loss {

/// What became of one client's reply.
struct receipt {
    request number = 0;
    std::uint16_t port = 0;           ///< the client's
    bool connected = false;           ///< the handshake succeeded within the client's limit
    bool gave_up = false;             ///< the client's own limit ended it before the reply was whole
    bool intact = false;              ///< the whole reply came, and its hash is right
    bool reset = false;               ///< by the server
    std::size_t received = 0;         ///< bytes of the reply
    std::chrono::microseconds took{}; ///< from connect(2) to the client's close(2)
};

struct client_plan {
    std::size_t connections = 0;
    std::size_t at_once = 0;
    std::chrono::milliseconds limit{}; ///< of one client, from connect(2)
    bool closes_first = false;         ///< as soon as it has the reply; else it waits a second for the server to do so
    bool reads_slowly = false;         ///< 2 KiB a tenth of a second, and sends nothing meanwhile
};

/// Clients connect to `server` from the calling thread's host, each with a request of its own number.
/** Behind the request each sends 8 KiB at once, then half a KiB whenever a part of the reply comes, and a quarter of one every
 *  20 ms: the requests of an impatient client, which the server does not read. Plain sockets and poll(2). Returns when all
 *  are closed. */
std::vector<receipt> fetch_replies(observation::endpoint server, const client_plan& plan);

} // namespace lab::loss

#endif
