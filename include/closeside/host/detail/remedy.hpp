// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_REMEDY_HPP
#define CLOSESIDE_HOST_DETAIL_REMEDY_HPP

#include <closeside/host/finding.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/snapshot.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail {

/// What to do about a finding: in words, and as the settings among them.
struct remedy {
    std::string text;
    std::vector<finding::setting> settings{};

    remedy() = default;
    remedy(const char* words) : text(words) {}
    remedy(std::string words) : text(std::move(words)) {}
    remedy(std::string words, std::vector<finding::setting> values)
        : text(std::move(words)), settings(std::move(values)) {}

    friend remedy operator+(remedy first, const remedy& next) {
        first.text += next.text;
        first.settings.insert(first.settings.end(), next.settings.begin(), next.settings.end());
        return first;
    }
};

inline std::string set_by_runtime(const snapshot& s, const key_facts& key, const std::string& setting) {
    const std::string pod =
        "securityContext.sysctls of the pod (" +
        std::string(key.reach == key_reach::pod_safe ? "Kubernetes counts it among the safe ones"
                                                     : "the kubelet needs --allowed-unsafe-sysctls for it") +
        ")";
    switch (s.container) {
    case container::docker: return "docker run --sysctl " + setting;
    case container::podman: return "podman run --sysctl " + setting;
    case container::kubernetes: return pod;
    default: return "docker run --sysctl " + setting + ", or " + pod;
    }
}

inline std::string set_at_boot(const snapshot& s, const key_facts& key, std::string_view value) {
    std::string text = "put `" + std::string(key.name) + " = " + std::string(value) +
                       "` into a file below /etc/sysctl.d/ to make it last";
    if (s.loader == sysctl_loader::systemd) text += ": systemd-sysctl does not read /etc/sysctl.conf";
    if (s.loader == sysctl_loader::procps) text += ", unless /etc/sysctl.conf, which is read after it, sets it too";
    if (is_conntrack(key.id))
        text += "; and nf_conntrack into /etc/modules-load.d/, or the key is not there yet at boot";
    return text;
}

/// How `k` gets the value `value` in the place where the snapshot was taken, and who can do it.
/** On a host, `sysctl -w` for now and a file below /etc/sysctl.d for the next boot: every loader reads that. Neither
 *  reaches a container, whose values come from what starts it; and some keys nobody but the host's root can set. Begins
 *  in lower case, to stand inside a sentence. */
inline remedy set_key(const snapshot& s, key k, std::string_view value) {
    const key_facts& key = facts(k);
    // A range has a blank in it, which a shell must not split at.
    const std::string quote = value.find(' ') != value.npos ? "\"" : "";
    const std::string assignment = std::string(key.name) + "=" + quote + std::string(value) + quote;
    std::vector<finding::setting> settings{{std::string(key.name), std::string(value)}};

    if (s.space == network_namespace::child && key.reach == key_reach::host)
        return {"have " + assignment + " set on the host or node (`sysctl -w " + assignment +
                    "`, and a line in /etc/sysctl.d/): it cannot be set for one container",
                std::move(settings)};
    if (s.space == network_namespace::child) {
        const std::string at_start = "in what starts the container (" + set_by_runtime(s, key, assignment) + ")";
        const std::string reach = "; a value set on the host does not reach this network namespace";
        return {s.read_only ? "set " + assignment + " " + at_start +
                                  ": /proc/sys is read-only here, so it cannot be set from inside" + reach
                            : "run `sysctl -w " + assignment +
                                  "` as root inside this network namespace, and set it for good " + at_start + reach,
                std::move(settings)};
    }
    if (s.read_only)
        return {"have " + assignment + " set on the host (`sysctl -w " + assignment +
                    "`, and a line in /etc/sysctl.d/): /proc/sys is read-only here",
                std::move(settings)};
    return {"run `sysctl -w " + assignment + "` as root, and " + set_at_boot(s, key, value), std::move(settings)};
}

/// The same if the kernel's own default is best.
inline remedy stop_setting(const snapshot& s, key k, std::string_view kernel_default) {
    return "leave " + std::string(to_string(k)) + " at the kernel's default: " + set_key(s, k, kernel_default);
}

} // namespace closeside::host::detail

#endif
