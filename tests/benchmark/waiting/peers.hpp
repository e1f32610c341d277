// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_WAITING_PEERS_HPP
#define CLOSESIDE_BENCHMARK_WAITING_PEERS_HPP

#include "benchmark/support/forked_child.hpp"

#include <cstdint>

namespace benchmark_waiting {

/// Clients in a process of their own, on another processor, that connect, say nothing, and close when they are told.
class peers {
public:
    peers();

    /// Begins; the server is to accept meanwhile.
    void connect(std::uint16_t port, unsigned connections);
    void await_connected();

    /// Begins.
    void close();

private:
    benchmark_support::forked_child process_;
};

} // namespace benchmark_waiting

#endif
