// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_DRAIN_DRAINS_HPP
#define CLOSESIDE_BENCHMARK_DRAIN_DRAINS_HPP

#include <cstdint>

namespace benchmark_drain {

// Ways of closing a connection whose peer still sends. Each takes the descriptor, half-closes, discards until the
// peer's FIN, for 60 s at most, closes, and returns how many bytes came.

/// stream<P>::async_close, under a policy that sets no lower limit than the others have.
std::uint64_t drain_by_policy(int fd);

/// Edge-triggered epoll and 4 KiB on the stack, as nginx has it (NGX_HTTP_LINGERING_BUFFER_SIZE).
std::uint64_t drain_with_epoll(int fd);

/// The same loop, but the kernel is told to throw the bytes away (MSG_TRUNC), which Linux does for TCP.
std::uint64_t drain_with_epoll_uncopied(int fd);

/// Asio by hand: async_read_some into 64 KiB, and a steady_timer.
std::uint64_t drain_with_asio(int fd);

/// Asio by hand: async_wait for something to read, and recv with MSG_TRUNC, which copies nothing.
std::uint64_t drain_with_asio_uncopied(int fd);

} // namespace benchmark_drain

#endif
