// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_OWN_PROC_HPP
#define CLOSESIDE_DETAIL_KERNEL_OWN_PROC_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Where /proc shows the calling thread's network namespace. self, and with it /proc/net, is the main thread, which may
// be in another one (setns(2)); thread-self is the calling thread, since Linux 3.17. `proc` is a descriptor of /proc.
namespace closeside::detail {

inline bool has_thread_self(int proc) noexcept {
    struct ::stat status {};
    return ::fstatat(proc, "thread-self", &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/// The inode of the calling thread's network namespace; nothing if /proc does not show it.
inline std::optional<std::uint64_t> own_network_namespace(int proc) noexcept {
    if (has_thread_self(proc)) return namespace_inode(proc, "thread-self/ns/net");
    char task[64];
    std::snprintf(task, sizeof task, "self/task/%ld/ns/net", ::syscall(SYS_gettid));
    if (const auto own = namespace_inode(proc, task)) return own;
    return namespace_inode(proc, "self/ns/net");
}

/// The directory of tcp, netstat and sockstat, as a path below `proc`. It need not be there.
/** Before 3.17 the main thread's, and to a thread in another network namespace none at all: they would be wrong. */
inline const char* own_net(int proc) noexcept {
    constexpr const char* of_this_thread = "thread-self/net";
    if (has_thread_self(proc)) return of_this_thread;
    const bool as_main_thread = own_network_namespace(proc) == namespace_inode(proc, "self/ns/net");
    return as_main_thread ? "self/net" : of_this_thread;
}

/// Opens that directory below a root; the descriptor is -1, with errno set, when it cannot be opened.
/** A tree copied from another host may have proc/net only. */
inline owned_descriptor open_own_net(const std::string& root) noexcept {
    const owned_descriptor top = open_directory(AT_FDCWD, root.c_str());
    const owned_descriptor proc = top ? open_directory(top.get(), "proc") : owned_descriptor();
    if (!proc) return owned_descriptor();
    owned_descriptor own = open_directory(proc.get(), own_net(proc.get()));
    if (own || root == "/") return own;
    return open_directory(proc.get(), "net");
}

} // namespace closeside::detail

#endif
