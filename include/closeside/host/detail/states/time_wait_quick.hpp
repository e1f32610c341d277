// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_TIME_WAIT_QUICK_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_TIME_WAIT_QUICK_HPP

#include <closeside/detail/asio/exceptions.hpp>
#include <closeside/detail/kernel/own_proc.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/proc_net_counters.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

#include <fcntl.h>

namespace closeside::host {

namespace detail {

/// The directory of tcp, tcp6 and sockstat; the descriptor is -1, with errno set, when it cannot be opened.
/** The calling thread's. A tree copied from another host may have proc/net only. */
inline closeside::detail::owned_descriptor open_proc_net(const std::string& root) noexcept {
    using namespace closeside::detail;
    const owned_descriptor top = open_directory(AT_FDCWD, root.c_str());
    const owned_descriptor proc = top ? open_directory(top.get(), "proc") : owned_descriptor();
    if (!proc) return owned_descriptor();
    owned_descriptor own = open_directory(proc.get(), own_net(proc.get()));
    if (own || root == "/") return own;
    return open_directory(proc.get(), "net");
}

/// `tw` of sockstat; none sets `error`.
inline std::optional<std::uint64_t> read_sockstat_tw(int proc_net, int& error) noexcept {
    try {
        const closeside::detail::file_content file = closeside::detail::read_regular_file(proc_net, "sockstat");
        error = file.error;
        if (error != 0) return std::nullopt;
        const std::optional<std::int64_t> tw = closeside::detail::sockstat_field(file.bytes, "TCP", "tw");
        if (tw && *tw >= 0) return static_cast<std::uint64_t>(*tw);
        error = EBADMSG;
        return std::nullopt;
    } catch (...) {
        error = ENOMEM;
        return std::nullopt;
    }
}

} // namespace detail

/// How many sockets of this network namespace are in TIME-WAIT, at most, in constant time, some 20 µs.
/** `tw` of /proc/thread-self/net/sockstat, which the kernel keeps as a number: both IP versions, and the mini-sockets in
 *  FIN-WAIT-2 (orphans that wait for the peer's FIN) with those in TIME-WAIT; only count_states tells them apart. The
 *  number is the network namespace's own since Linux 4.11, the whole host's before.
 *  @param root  the directory that holds proc/.
 *  @return none where there is no such file, or not with such a line in it.
 *  Thread safety: callable from any thread at any time; one that called setns(2) gets the number of its own namespace.
 *  Source: net/ipv4/proc.c, sockstat_seq_show; net/ipv4/tcp_minisocks.c, tcp_time_wait. */
inline std::optional<std::uint64_t> time_wait_quick(const std::string& root = "/") noexcept {
    const closeside::detail::owned_descriptor directory = detail::open_proc_net(root);
    if (!directory) return std::nullopt;
    int error = 0;
    return detail::read_sockstat_tw(directory.get(), error);
}

} // namespace closeside::host

#endif
