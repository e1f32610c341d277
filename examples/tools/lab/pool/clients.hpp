// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POOL_CLIENTS_HPP
#define CLOSESIDE_LAB_POOL_CLIENTS_HPP

#include "observation/segment.hpp"

#include <chrono>
#include <cstddef>

namespace lab::pool {

struct schedule {
    double per_second = 0;
    std::chrono::seconds time{};
    double in_time =
        0; ///< of the clients, those that close once they have the reply; the others wait for the server's FIN
};

struct connects {
    std::size_t answered = 0;
    std::size_t failed = 0;
    double seconds = 0; ///< for which connects were begun
};

/// Clients connect from the calling thread's host, one after the other at even intervals, whatever becomes of those before:
/// each sends a request and reads the reply. Returns when the last has ended.
connects connect_steadily(observation::endpoint server, const schedule& when);

} // namespace lab::pool

#endif
