// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_TAKE_SNAPSHOT_HPP
#define CLOSESIDE_HOST_TAKE_SNAPSHOT_HPP

#include <closeside/detail/proc_reader.hpp>
#include <closeside/detail/sysctl_text.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include <fcntl.h>

namespace closeside::host {

struct snapshot_options {
    /// The directory that holds proc/. Another one than "/" is for tests and for trees copied from another host.
    /** Another /proc mounted there does not show another network namespace: the files under proc/sys/net are those of
     *  the thread that reads (net_ctl_root), wherever they are mounted. */
    std::string root = "/";
};

namespace detail {

inline key_value read_key(int sysctls, const key_facts& facts) {
    std::string path(facts.name);
    std::replace(path.begin(), path.end(), '.', '/');
    const closeside::detail::file_content file = closeside::detail::read_regular_file(sysctls, path.c_str());

    if (file.error == 0) return interpret(facts.shape, file.bytes);
    if (file.error == ENOENT || file.error == ENOTDIR) return {};
    const std::string problem = file.problem ? file.problem : std::generic_category().message(file.error);
    if (file.error == EACCES || file.error == EPERM) return {key_status::denied, {}, {}, {}, problem};
    return {key_status::malformed, closeside::detail::printable_excerpt(file.bytes), {}, {}, problem};
}

inline key_value read_key_or_say_why(int sysctls, const key_facts& facts) noexcept {
    try {
        return read_key(sysctls, facts);
    } catch (...) {
        key_value none;
        none.status = key_status::malformed;
        none.problem = "out of memory"; // short enough to need none
        return none;
    }
}

inline bool is_there(const snapshot& s, key k) noexcept { return s[k].status != key_status::absent; }

/// tcp_max_orphans is the witness: of all namespaces only the initial one has it, on every kernel from 3.10 to 6.18.
/** Inodes alone do not tell: the process 1 of a container is in the container's own namespace, and a container may not
 *  read the host's. Where an emulated or half-copied /proc misses the witness too, keys that every real child namespace
 *  has are missing as well. */
inline network_namespace find_namespace(const snapshot& s,
                                        std::optional<std::uint64_t> netns_of_first_process) noexcept {
    if (is_there(s, key::tcp_max_orphans)) return network_namespace::initial;
    if (s.netns && netns_of_first_process && s.netns != netns_of_first_process) return network_namespace::child;

    const bool since_4_9 = is_there(s, key::tcp_fin_timeout) && is_there(s, key::tcp_syncookies) &&
                           is_there(s, key::tcp_orphan_retries) && is_there(s, key::ip_local_port_range);
    const auto version = parse_kernel_version(s.kernel);
    // There such a child shows next to nothing of TCP. gVisor calls itself 4.4.0 as well, but shows tcp_rfc1337.
    const bool before_4_9 = version && *version < kernel_version{4, 9} && is_there(s, key::ip_local_port_range) &&
                            !is_there(s, key::tcp_rfc1337);
    return since_4_9 || before_4_9 ? network_namespace::child : network_namespace::unknown;
}

/// In a child namespace, tells the keys that are not shown from those that do not exist.
inline void mark_hidden_keys(snapshot& s) noexcept {
    if (s.space != network_namespace::child) return;
    const auto version = parse_kernel_version(s.kernel);
    for (const key_facts& facts : all_keys) {
        if (s[facts.id].status != key_status::absent || !facts.per_namespace_since) continue;
        const bool hosts_alone = *facts.per_namespace_since == never_per_namespace;
        if (hosts_alone || (version && *version < *facts.per_namespace_since)) s[facts.id].status = key_status::hidden;
    }
}

inline int error_of_blindness(const snapshot& s) noexcept {
    const auto any = [&](key_status status) {
        return std::any_of(s.values.begin(), s.values.end(), [&](const key_value& v) { return v.status == status; });
    };
    if (any(key_status::present) || any(key_status::malformed)) return 0;
    return any(key_status::denied) ? EACCES : ENOENT;
}

inline void read_host(snapshot& s, const char* root) {
    const closeside::detail::owned_descriptor top = closeside::detail::open_directory(AT_FDCWD, root);
    s.error = errno;
    if (!top) return;
    const closeside::detail::owned_descriptor sysctls = closeside::detail::open_directory(top.get(), "proc/sys");
    s.error = errno;
    if (!sysctls) return;

    // thread-self, because self stands for the main thread, which may be in another namespace (setns(2)).
    s.netns = closeside::detail::namespace_inode(top.get(), "proc/thread-self/ns/net");
    s.read_only = closeside::detail::is_read_only(sysctls.get());
    const auto release = closeside::detail::read_regular_file(sysctls.get(), "kernel/osrelease");
    s.kernel = closeside::detail::printable_excerpt(closeside::detail::without_line_end(release.bytes));

    for (const key_facts& facts : all_keys) s[facts.id] = read_key_or_say_why(sysctls.get(), facts);
    s.space = find_namespace(s, closeside::detail::namespace_inode(top.get(), "proc/1/ns/net"));
    mark_hidden_keys(s);
    s.error = error_of_blindness(s);
}

} // namespace detail

/// Reads the keys, the kernel release and the network namespace of the calling thread.
/** Needs no privilege, opens only regular files, writes nothing, waits for nothing but the kernel's own /proc, which
 *  takes about a tenth of a millisecond. Never throws: what cannot be read has a status that says so, and `error` is
 *  set when nothing could be read. Thread safety: callable from any thread at any time; a thread that has called
 *  setns(2) sees its own network namespace. */
inline snapshot take_snapshot(const snapshot_options& options = {}) noexcept {
    snapshot s;
    try {
        s.root = options.root;
        detail::read_host(s, s.root.c_str());
    } catch (...) {
        s.error = ENOMEM;
    }
    return s;
}

} // namespace closeside::host

#endif
