// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_DRAIN_SENDER_HPP
#define CLOSESIDE_BENCHMARK_DRAIN_SENDER_HPP

#include "benchmark/support/forked_child.hpp"
#include "support/loopback_tcp.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace benchmark_drain {

/// What a peer sends before its FIN.
struct load {
    std::uint64_t bytes;
    std::size_t write;                 ///< bytes a write(2)
    std::chrono::nanoseconds interval; ///< from the beginning of one to that of the next; 0: as fast as it can
};

/// A peer that keeps sending, in a process on another processor, so that what it costs is not measured with the drain.
/** Socket buffers are left to the kernel's tuning. */
class sender {
public:
    sender();

    /// A connected descriptor, the caller's to close, on which nothing comes before begin().
    int connect(const load& l);
    void begin();

    /// Waits for the peer, which has sent all and seen the end of the connection.
    /** @throws std::runtime_error if it could not send everything. */
    void finish();

private:
    tests::descriptor listener_;
    std::uint16_t port_ = 0;
    benchmark_support::forked_child process_;
};

} // namespace benchmark_drain

#endif
