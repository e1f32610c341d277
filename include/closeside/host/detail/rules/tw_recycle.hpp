// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_TW_RECYCLE_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_TW_RECYCLE_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host::detail::rules {

inline constexpr std::string_view tw_recycle_source =
    "Linux 4.11 net/ipv4/tcp_input.c: tcp_conn_request, net/ipv4/tcp_metrics.c: tcp_peer_is_proven; commits "
    "a26552afe894 (3.17), 4396e46187ca (4.12, which removed it)";

/// Since 3.17 a SYN without a timestamp is dropped too. A distribution may have taken that over.
[[gnu::cold]] inline bool drops_without_timestamp(const snapshot& s) noexcept {
    const auto version = parse_kernel_version(s.kernel);
    return !version || *version >= kernel_version{3, 17};
}

/// The policies do not soften it: one program of the host that closes first poisons the per-address record for all.
inline constexpr rule tw_recycle_on{
    "CS102",
    "tcp_tw_recycle drops the SYNs of clients that share an address",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_on(key::tcp_tw_recycle)) return std::nullopt;
        const bool strict = drops_without_timestamp(in.host);
        const bool inert = in.is_off(key::tcp_timestamps);
        if (inert)
            return found(
                severity::note, {key::tcp_tw_recycle, key::tcp_timestamps},
                compose("tcp_tw_recycle is on and tcp_timestamps is 0: nothing is recorded any more{}",
                        {strict ? "; for 60 s after timestamps were turned off, the kernel drops every SYN from an "
                                  "address that it has a record of"
                                : ", and nothing is compared"}),
                compose("{}; whoever turns tcp_timestamps on locks clients behind NAT out",
                        {strict ? "None after these 60 s; within them clients get no answer, also those that were "
                                  "fine before"
                                : "None now"}),
                set_key(in.host, key::tcp_tw_recycle, "0"), tw_recycle_source);
        return found(
            in.program.peers == exposure::loopback ? severity::warning : severity::critical,
            {key::tcp_tw_recycle, key::tcp_timestamps},
            compose(
                "The kernel remembers one timestamp per client address and silently drops every SYN from there that "
                "carries an older one{}; closes by any program on this host feed that record",
                {strict ? " or none" : " (since Linux 3.17 also one without)"}),
            shares_addresses(in.program.peers)
                ? std::string(
                      "Of several clients behind one address some get no answer for up to 60 s at a time, while "
                      "others connect at once; PAWSPassive in /proc/net/netstat counts them")
                : compose("Clients {}whose timestamps do not rise from one connection to the next (as of Linux 6.18, "
                          "random per connection), get no answer for up to 60 s at a time; PAWSPassive in "
                          "/proc/net/netstat counts them",
                          {strict ? "without timestamps, or " : ""}),
            set_key(in.host, key::tcp_tw_recycle, "0"), tw_recycle_source);
    },
    {counter::paws_passive}};

/// Without a count nobody can tell whether it is on, and by default it is not; PAWSPassive rises by nothing else.
inline constexpr rule tw_recycle_hidden{
    "CS103",
    "tcp_tw_recycle of the host applies here and cannot be seen",
    [](const rule_input& in) -> std::optional<judgement> {
        if (in.host[key::tcp_tw_recycle].status != key_status::hidden) return std::nullopt;
        const std::uint64_t dropped = in.host.count(counter::paws_passive).value_or(0);
        const bool both = in.host[key::tcp_rfc1337].status == key_status::hidden;
        std::vector<key> keys{key::tcp_tw_recycle};
        if (both) keys.push_back(key::tcp_rfc1337);
        return found(
            dropped != 0 && in.program.peers != exposure::loopback ? severity::warning : severity::note, keys,
            dropped != 0
                ? compose(
                      "tcp_tw_recycle is or was on: PAWSPassive, which nothing else raises, is {} in this network "
                      "namespace; Linux {} shows the key in the initial network namespace only, and applies it here",
                      {dropped, in.host.kernel})
                : compose(
                      "Linux {} has tcp_tw_recycle{}, shows {} in the initial network namespace only, and applies {} "
                      "here",
                      {in.host.kernel, both ? " and tcp_rfc1337" : "", both ? "them" : "it", both ? "them" : "it"}),
            dropped != 0
                ? "So many SYNs got no answer; some of the clients behind one address wait for up to 60 s at a "
                  "time"
                : "If on, some of the clients behind one address get no answer for up to 60 s at a time, or with "
                  "tcp_rfc1337 for over two minutes",
            compose(
                "On the host, outside of this container, run `sysctl net.ipv4.tcp_tw_recycle{}` and, if it is not 0, "
                "`sysctl -w net.ipv4.tcp_tw_recycle=0`; it cannot be done from here",
                {both ? " net.ipv4.tcp_rfc1337" : ""}),
            "Linux 4.10 net/ipv4/sysctl_net_ipv4.c; per namespace since commit 1946e672c173 (4.11)");
    },
    {counter::paws_passive},
    severity::critical};

} // namespace closeside::host::detail::rules

#endif
