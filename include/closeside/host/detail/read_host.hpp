// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_READ_HOST_HPP
#define CLOSESIDE_HOST_DETAIL_READ_HOST_HPP

#include <closeside/detail/exceptions.hpp>
#include <closeside/detail/kernel/own_proc.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/kernel/proc_net_counters.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>
#include <closeside/detail/kernel/shared_ports.hpp>
#include <closeside/detail/kernel/sockstat.hpp>
#include <closeside/detail/kernel/sysctl_text.hpp>
#include <closeside/host/counter.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/detail/sysctl_d/find_loader.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace closeside::host::detail {

[[gnu::cold]] inline key_value interpret(const key_facts& facts, const closeside::detail::file_content& file) {
    if (file.error == 0) return interpret(facts.shape, file.bytes);
    if (file.error == ENOENT || file.error == ENOTDIR) return {};
    const std::string problem = file.problem ? file.problem : std::generic_category().message(file.error);
    if (file.error == EACCES || file.error == EPERM) return {key_status::denied, {}, {}, {}, problem};
    return {key_status::malformed, closeside::detail::printable_excerpt(file.bytes), {}, {}, problem};
}

/// The directories of the keys, opened once, so that the way to a key is short.
class key_files {
public:
    explicit key_files(int sysctls) noexcept
        : ipv4_(sysctls, "net/ipv4"), netfilter_(sysctls, "net/netfilter"), core_(sysctls, "net/core") {}

    key_value read(const key_facts& facts) const noexcept {
        try {
            const std::size_t dot = facts.name.rfind('.');
            const std::string file(facts.name.substr(dot + 1));
            return interpret(facts, directory(facts.name.substr(0, dot)).read_sysctl(file.c_str()));
        } catch (...) {
            key_value unread;
            unread.status = key_status::malformed;
            unread.problem = "out of memory"; // short enough to need no memory
            return unread;
        }
    }

private:
    const closeside::detail::file_source& directory(std::string_view group) const noexcept {
        return group == "net.ipv4" ? ipv4_ : group == "net.netfilter" ? netfilter_ : core_;
    }

    closeside::detail::file_source ipv4_, netfilter_, core_;
};

constexpr bool every_key_has_its_directory() noexcept {
    for (const key_facts& facts : key_table)
        if (!facts.name.starts_with("net.ipv4.") && !facts.name.starts_with("net.netfilter.") &&
            !facts.name.starts_with("net.core."))
            return false;
    return true;
}
static_assert(every_key_has_its_directory(), "key_files opens the directories that key_table needs");

[[gnu::cold]] inline bool is_there(const snapshot& s, key k) noexcept { return s[k].status != key_status::absent; }

/// tcp_max_orphans is the witness: of all namespaces only the initial one has it, on every kernel from 3.10 to 6.18.
/** Inodes alone do not tell: the process 1 of a container is in the container's own namespace, and a container may not
 *  read the host's. If an emulated or half-copied /proc misses the witness too, keys that every real child namespace
 *  has are missing as well. */
[[gnu::cold]] inline network_namespace find_namespace(const snapshot& s, int top) noexcept {
    if (is_there(s, key::tcp_max_orphans)) return network_namespace::initial;
    const auto netns_of_first_process = closeside::detail::namespace_inode(top, "proc/1/ns/net");
    if (s.netns && netns_of_first_process && s.netns != netns_of_first_process) return network_namespace::child;

    const bool since_4_6 = is_there(s, key::tcp_fin_timeout) && is_there(s, key::tcp_syncookies) &&
                           is_there(s, key::tcp_orphan_retries) && is_there(s, key::ip_local_port_range);
    const auto version = parse_kernel_version(s.kernel);
    // There such a child shows next to nothing of TCP. gVisor calls itself 4.4.0 as well, but shows tcp_rfc1337.
    const bool before_4_6 = version && *version < kernel_version{4, 6} && is_there(s, key::ip_local_port_range) &&
                            !is_there(s, key::tcp_rfc1337);
    return since_4_6 || before_4_6 ? network_namespace::child : network_namespace::unknown;
}

/// Tells the keys of a module that is not there, and in a child namespace those that are not shown, from those that do
/// not exist.
[[gnu::cold]] inline void mark_missing_keys(snapshot& s) noexcept {
    const bool tcp_is_there = is_there(s, key::ip_local_port_range) || is_there(s, key::tcp_timestamps);
    if (tcp_is_there && !is_there(s, key::conntrack_max) && !is_there(s, key::conntrack_time_wait)) {
        for (const key_facts& facts : key_table)
            if (is_conntrack(facts.id) && !is_there(s, facts.id)) s[facts.id].status = key_status::unloaded;
    }
    if (s.space != network_namespace::child) return;
    const auto version = parse_kernel_version(s.kernel);
    for (const key_facts& facts : key_table) {
        if (s[facts.id].status != key_status::absent || !facts.per_namespace_since) continue;
        const bool hosts_alone = *facts.per_namespace_since == never_per_namespace;
        if (hosts_alone || (version && *version < *facts.per_namespace_since)) s[facts.id].status = key_status::hidden;
    }
}

/// gVisor gives itself away by the build that it claims to be, or by its name in newer releases (its version.go).
/** Without those two files: Linux never had these three of its constants without the keys that are missing here. */
[[gnu::cold]] inline bool is_emulated(const snapshot& s, std::string_view build) noexcept {
    if (build.find("Sun Jan 10 15:06:54 PST 2016") != build.npos || s.kernel.find("gvisor") != s.kernel.npos)
        return true;
    const bool has_its_constants =
        s.number(key::tcp_rfc1337) == 1 && s.number(key::tcp_timestamps) == 1 && s.number(key::tcp_retries2) == 15;
    return has_its_constants && !is_there(s, key::tcp_fin_timeout) && !is_there(s, key::tcp_tw_reuse) &&
           !is_there(s, key::tcp_max_tw_buckets) && !is_there(s, key::tcp_max_orphans);
}

[[gnu::cold]] inline void mark_emulated_keys(snapshot& s) noexcept {
    for (key_value& v : s.values) {
        if (v.status != key_status::present) continue;
        v.status = key_status::emulated;
        v.number.reset();
        v.high.reset();
    }
}

/// The keys are below net, which container runtimes mount apart from /proc/sys: LXC and systemd-nspawn leave net to a
/// container whose other keys are read-only. Who is not root learns from the mount alone.
[[gnu::cold]] inline bool cannot_be_set(int sysctls) noexcept {
    const closeside::detail::owned_descriptor net = closeside::detail::open_directory(sysctls, "net/ipv4");
    if (!net) return closeside::detail::is_read_only(sysctls);
    if (closeside::detail::is_read_only(net.get())) return true;
    return ::geteuid() == 0 && ::faccessat(net.get(), "ip_local_port_range", W_OK, AT_EACCESS) != 0 && errno != ENOENT;
}

[[gnu::cold]] inline bool exists(int below, const char* path) noexcept {
    return ::faccessat(below, path, F_OK, 0) == 0;
}

[[gnu::cold]] inline sysctl_loader loader_of(int top) noexcept {
    try {
        const sysctl_d::found_loader found = sysctl_d::find_loader(top);
        return found.is_certain ? found.loader : sysctl_loader::unknown;
    } catch (...) {
        return sysctl_loader::unknown;
    }
}

/// The marks that sd_booted(3), Docker, Podman and the kubelet leave, and that of systemd's container interface.
[[gnu::cold]] inline void find_loader_and_container(snapshot& s, int top) noexcept {
    s.loader = loader_of(top);
    s.container = exists(top, "run/secrets/kubernetes.io") || exists(top, "var/run/secrets/kubernetes.io")
                      ? container::kubernetes
                  : exists(top, "run/.containerenv")     ? container::podman
                  : exists(top, ".dockerenv")            ? container::docker
                  : exists(top, "run/systemd/container") ? container::other
                                                         : container::none;
}

/// Of the calling thread's namespace; a tree copied from another host may have proc/net only.
[[gnu::cold]] inline void read_counters(snapshot& s, const closeside::detail::file_source& proc) {
    const std::string own = closeside::detail::own_net(proc.get()) + std::string("/");
    const auto content = [&](const std::string& name) {
        auto file = proc.read((own + name).c_str());
        if (file.error != 0 && s.root != "/") file = proc.read(("net/" + name).c_str());
        return file.error == 0 ? std::move(file.bytes) : std::string();
    };
    const auto read = [&](const char* file, std::string_view group) {
        closeside::detail::read_counts(content(file), group, [&](std::string_view name) {
            const std::optional<counter> c = find_counter(group, name);
            return c ? &s.counters[static_cast<std::size_t>(*c)] : nullptr;
        });
    };
    read("netstat", "TcpExt");
    read("snmp", "Tcp");
    s.sockets = closeside::detail::interpret_sockstat(content("sockstat"), content("sockstat6"));
}

/// `MemTotal:       24576000 kB`
[[gnu::cold]] inline std::optional<std::int64_t> total_memory_kib(std::string_view meminfo) noexcept {
    constexpr std::string_view label = "MemTotal:";
    if (!meminfo.starts_with(label)) return std::nullopt;
    meminfo.remove_prefix(label.size());
    return closeside::detail::take_number(meminfo);
}

[[gnu::cold]] inline int error_of_blindness(const snapshot& s) noexcept {
    const auto any = [&](key_status status) {
        return std::any_of(s.values.begin(), s.values.end(), [&](const key_value& v) { return v.status == status; });
    };
    if (any(key_status::present) || any(key_status::malformed) || any(key_status::emulated)) return 0;
    return any(key_status::denied) ? EACCES : ENOENT;
}

[[gnu::cold]] inline void read_host(snapshot& s, const char* root) {
    const closeside::detail::owned_descriptor top = closeside::detail::open_directory(AT_FDCWD, root);
    s.error = errno;
    if (!top) return;
    find_loader_and_container(s, top.get());
    const closeside::detail::file_source sysctls(top.get(), "proc/sys");
    s.error = sysctls.error();
    if (s.error != 0) return;

    const closeside::detail::file_source proc(top.get(), "proc");
    s.netns = closeside::detail::own_network_namespace(proc.get());
    s.read_only = cannot_be_set(sysctls.get());
    const auto release = sysctls.read_sysctl("kernel/osrelease");
    s.kernel = closeside::detail::printable_excerpt(closeside::detail::without_line_end(release.bytes));

    const key_files keys(sysctls.get());
    for (const key_facts& facts : key_table) s[facts.id] = keys.read(facts);
    s.space = find_namespace(s, top.get());
    s.emulated = is_emulated(s, sysctls.read_sysctl("kernel/version").bytes);
    if (s.emulated)
        mark_emulated_keys(s);
    else
        mark_missing_keys(s);
    read_counters(s, proc);
    s.memory_kib = total_memory_kib(proc.read("meminfo").bytes);
    if (s.root == "/" && !s.emulated) s.shared_ports = closeside::detail::shared_listening_ports();
    s.error = error_of_blindness(s);
}

} // namespace closeside::host::detail

#endif
