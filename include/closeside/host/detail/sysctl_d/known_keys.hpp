// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_KNOWN_KEYS_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_KNOWN_KEYS_HPP

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::sysctl_d {

/// A key that configuration files still set after the kernel has given it up.
struct retired_key {
    /// As sysctl(8) writes it; one that ends in `*` stands for every key that begins so.
    std::string_view name;
    /// What it became, the part for `*` to be added; empty: nothing.
    std::string_view successor;
    std::string_view since;
    std::string_view why;
};

inline constexpr std::array retired_keys{
    retired_key{"net.ipv4.tcp_tw_recycle", "", "4.12", "it dropped SYNs of clients behind NAT (commit 4396e46187ca)"},
    // net.ipv4.netfilter.* and the max of 2.4 kernels; their compatibility files went with commit adf0516845bc.
    retired_key{"net.ipv4.ip_conntrack_max", "net.netfilter.nf_conntrack_max", "4.9",
                "only the name of the netfilter directory is left"},
    retired_key{"net.ipv4.netfilter.ip_conntrack_*", "net.netfilter.nf_conntrack_", "4.9",
                "only the name of the netfilter directory is left"},
};

/// A key that is gone, and what it is called now; empty if it has no other name.
struct retirement {
    const retired_key* key = nullptr;
    std::string successor;
};

inline std::optional<retirement> find_retirement(std::string_view name) {
    for (const retired_key& k : retired_keys) {
        if (k.name.back() != '*') {
            if (name == k.name) return retirement{&k, std::string(k.successor)};
            continue;
        }
        const std::string_view prefix = k.name.substr(0, k.name.size() - 1);
        if (name.starts_with(prefix))
            return retirement{&k, std::string(k.successor) + std::string(name.substr(prefix.size()))};
    }
    return std::nullopt;
}

/// The module with which a key appears; empty for keys that are there from the start.
constexpr std::string_view module_of(std::string_view name) noexcept {
    if (name.starts_with("net.netfilter.nf_conntrack_") || name == "net.nf_conntrack_max") return "nf_conntrack";
    if (name.starts_with("net.bridge.bridge-nf-")) return "br_netfilter";
    return {};
}

} // namespace closeside::host::detail::sysctl_d

#endif
