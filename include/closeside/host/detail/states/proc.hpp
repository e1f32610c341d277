// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_PROC_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_PROC_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/host/detail/states/proc_rows.hpp>
#include <closeside/host/detail/states/tcp_states.hpp>
#include <closeside/host/detail/states/time_budget.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace closeside::host::detail {

/// Counts the rows of one file; returns 0 or an errno. Opens only a regular file, so that nothing blocks.
inline int add_proc_file(tcp_states& to, int directory, const char* name, std::uint16_t local_port,
                         const time_budget& budget) noexcept {
    struct ::stat status {};
    if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno;
    if (!S_ISREG(status.st_mode)) return EINVAL;
    const closeside::detail::owned_descriptor file(
        ::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) return errno;

    proc_row_counter rows(to, local_port);
    char buffer[8192]; // the kernel prints no more than a page at a time (seq_read)
    while (!(to.stopped = budget.over())) {
        const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) {
            rows.add_end();
            return 0;
        }
        rows.add_piece({buffer, static_cast<std::size_t>(n)});
    }
    return 0;
}

/// Counts the rows of tcp and tcp6 in a directory proc/…/net; returns 0 or an errno, and sets `exact` or `stopped`.
inline int count_by_proc(tcp_states& to, int proc_net, std::uint16_t local_port, const time_budget& budget) noexcept {
    if (const int error = add_proc_file(to, proc_net, "tcp", local_port, budget)) return error;
    if (to.stopped) return 0;
    const int error = add_proc_file(to, proc_net, "tcp6", local_port, budget);
    if (error != 0 && error != ENOENT) return error; // no such file: a kernel without IPv6
    to.exact = !to.stopped && to.malformed == 0;
    return 0;
}

} // namespace closeside::host::detail

#endif
