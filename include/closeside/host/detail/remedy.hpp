// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_REMEDY_HPP
#define CLOSESIDE_HOST_DETAIL_REMEDY_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/snapshot.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail {

/// What to do about a finding: in words, and as the settings among them.
/** Made, copied and destroyed out of line, as a judgement is. */
struct remedy {
    std::string text;
    std::vector<finding::setting> settings{};

    [[gnu::cold, gnu::noinline]] remedy() {}
    [[gnu::cold, gnu::noinline]] remedy(const char* words) : text(words) {}
    [[gnu::cold, gnu::noinline]] remedy(std::string_view words) : text(words) {}
    [[gnu::cold, gnu::noinline]] remedy(const std::string& words) : text(words) {}
    [[gnu::cold, gnu::noinline]] remedy(std::string_view words, const std::vector<finding::setting>& values)
        : text(words), settings(values) {}
    [[gnu::cold, gnu::noinline]] remedy(const remedy& other) : text(other.text), settings(other.settings) {}
    [[gnu::cold, gnu::noinline]] remedy(remedy&& other) noexcept
        : text(std::move(other.text)), settings(std::move(other.settings)) {}
    [[gnu::cold, gnu::noinline]] ~remedy() {}
    [[gnu::cold, gnu::noinline]] remedy& operator=(remedy other) noexcept {
        text.swap(other.text);
        settings.swap(other.settings);
        return *this;
    }

    [[gnu::cold, gnu::noinline]] friend remedy operator+(remedy first, const remedy& next) {
        first.text += next.text;
        first.settings.insert(first.settings.end(), next.settings.begin(), next.settings.end());
        return first;
    }
};

[[gnu::cold]] inline std::string set_by_runtime(const snapshot& s, const key_facts& key, const std::string& setting) {
    const std::string pod =
        compose("securityContext.sysctls of the pod ({})",
                {key.reach == key_reach::pod_safe ? "Kubernetes counts it among the safe ones"
                                                  : "the kubelet needs --allowed-unsafe-sysctls for it"});
    switch (s.container) {
    case container::docker: return compose("docker run --sysctl {}", {setting});
    case container::podman: return compose("podman run --sysctl {}", {setting});
    case container::kubernetes: return pod;
    default: return compose("docker run --sysctl {}, or {}", {setting, pod});
    }
}

[[gnu::cold]] inline std::string set_at_boot(const snapshot& s, const key_facts& key, std::string_view value) {
    std::string text = compose("put `{} = {}` into a file below /etc/sysctl.d/ to make it last", {key.name, value});
    if (s.loader == sysctl_loader::systemd) text += ": systemd-sysctl does not read /etc/sysctl.conf";
    if (s.loader == sysctl_loader::procps || s.loader == sysctl_loader::busybox)
        text += ", unless /etc/sysctl.conf, which is read after it, sets it too";
    if (is_conntrack(key.id))
        text += s.space == network_namespace::child
                    ? "; the host has to load nf_conntrack before, or the key is not there yet at boot"
                    : "; and nf_conntrack into /etc/modules-load.d/, or the key is not there yet at boot";
    return text;
}

/// Begins a system of its own, whose systemd applies its own /etc/sysctl.d at its start: an LXC or nspawn container, or a
/// virtual server that shares its host's kernel. systemd-sysctl.service has ConditionPathIsReadWrite=/proc/sys/net.
[[gnu::cold]] inline bool boots_by_itself(const snapshot& s) noexcept {
    return s.loader == sysctl_loader::systemd && !s.read_only;
}

[[gnu::cold]] inline std::string set_in_container(const snapshot& s, const key_facts& key, std::string_view value,
                                                  const std::string& assignment) {
    const std::string reach = "; a value set on the host does not reach this network namespace";
    if (boots_by_itself(s))
        return compose("run `sysctl -w {}` as root inside this container, and {}{}",
                       {assignment, set_at_boot(s, key, value), reach});
    const std::string at_start = compose("in what starts the container ({})", {set_by_runtime(s, key, assignment)});
    return s.read_only ? compose("set {} {}: /proc/sys/net is read-only here, so it cannot be set from inside{}",
                                 {assignment, at_start, reach})
                       : compose("run `sysctl -w {}` as root inside this network namespace, and set it for good {}{}",
                                 {assignment, at_start, reach});
}

/// How `k` gets the value `value` in the place where the snapshot was taken, and who can do it.
/** On a host, `sysctl -w` for now and a file below /etc/sysctl.d for the next boot: every loader reads that. Neither
 *  reaches a container that only runs a program: its values come from what starts it; and some keys nobody but the host's
 *  root can set. The value may be as the kernel prints it, with a tab. Begins in lower case, to stand inside a sentence.
 */
[[gnu::cold, gnu::noinline]] inline remedy set_key(const snapshot& s, key k, std::string_view printed) {
    const key_facts& key = facts(k);
    const std::string value = to_be_written(printed);
    // A range has a blank in it, which a shell must not split at.
    const std::string quote = value.find(' ') != value.npos ? "\"" : "";
    const std::string assignment = compose("{}={}{}{}", {key.name, quote, value, quote});
    const std::vector<finding::setting> settings{{std::string(key.name), value}};

    if (s.space == network_namespace::child && key.reach == key_reach::host)
        return {compose("have {} set on the host or node (`sysctl -w {}`, and a line in /etc/sysctl.d/): it cannot be "
                        "set for one container",
                        {assignment, assignment}),
                settings};
    if (s.space == network_namespace::child) return {set_in_container(s, key, value, assignment), settings};
    if (s.read_only)
        return {compose("have {} set on the host (`sysctl -w {}`, and a line in /etc/sysctl.d/): /proc/sys/net is "
                        "read-only here",
                        {assignment, assignment}),
                settings};
    return {compose("run `sysctl -w {}` as root, and {}", {assignment, set_at_boot(s, key, value)}), settings};
}

/// The same if the kernel's own default is best.
[[gnu::cold, gnu::noinline]] inline remedy stop_setting(const snapshot& s, key k, std::string_view kernel_default) {
    remedy set = set_key(s, k, kernel_default);
    set.text = compose("leave {} at the kernel's default: {}", {to_string(k), set.text});
    return set;
}

} // namespace closeside::host::detail

#endif
