// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_MULTIPATH_HPP
#define CLOSESIDE_DETAIL_KERNEL_MULTIPATH_HPP

#include <closeside/detail/kernel/tcp_socket.hpp>

#include <atomic>

namespace closeside::detail {

/// Has this process had a socket of Multipath TCP? Until then no close asks whether its own is one.
[[gnu::visibility("default")]] inline std::atomic<bool> multipath_seen{false};

inline bool multipath_in_use() noexcept { return multipath_seen.load(std::memory_order_relaxed); }

/// Is it TCP, of either kind? To be asked of listening sockets, and of connections that come from elsewhere.
inline bool is_tcp(int fd) noexcept {
    constexpr int multipath_tcp = 262; // IPPROTO_MPTCP
    const int protocol = tcp_socket::protocol(fd);
    if (protocol == multipath_tcp) multipath_seen.store(true, std::memory_order_relaxed);
    return protocol == IPPROTO_TCP || protocol == multipath_tcp;
}

} // namespace closeside::detail

#endif
