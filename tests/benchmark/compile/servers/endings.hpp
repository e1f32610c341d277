// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_COMPILE_ENDINGS_HPP
#define CLOSESIDE_BENCHMARK_COMPILE_ENDINGS_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <limits>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// How the connections of one listener of a server on plain Asio end.
struct ending {
    unsigned short port;
    std::chrono::seconds limit = 30s;
    std::size_t bytes = unlimited;
    bool peer_first = false;
    bool abort_at_limit = false;
};

/// Those of the ten policies.
constexpr std::array endings{
    ending{8080},
    ending{8081, 2s},
    ending{8082, 30s, 64u << 20},
    ending{8083, 1s, 4096},
    ending{8084, 2s, unlimited, true, true},
    ending{8085, 60s, unlimited, true},
    ending{8086, 30s, unlimited, false, true},
    ending{8087, 10s, 256u << 10},
    ending{8088, 10s, unlimited, true},
    ending{8089, 0s, 0, false, true},
};

} // namespace

#endif
