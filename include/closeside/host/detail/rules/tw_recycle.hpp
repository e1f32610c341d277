// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_TW_RECYCLE_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_TW_RECYCLE_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <optional>

namespace closeside::host::detail::rules {

/// The policies do not soften it: one program of the host that closes first poisons the per-address record for all.
inline constexpr rule tw_recycle_on{
    "CS102",
    "tcp_tw_recycle drops the SYNs of clients that share an address",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_on(key::tcp_tw_recycle)) return std::nullopt;
        const bool inert = in.is_off(key::tcp_timestamps);
        if (inert)
            return found(severity::note, {key::tcp_tw_recycle, key::tcp_timestamps},
                         "tcp_tw_recycle is on, but has no effect while tcp_timestamps is 0",
                         "None now; whoever turns tcp_timestamps on locks clients behind NAT out",
                         set_key(in.host, key::tcp_tw_recycle, "0"),
                         "Linux 4.11 net/ipv4/tcp_input.c: tcp_conn_request; removed in 4.12 (commit 4396e46187ca)");
        return found(in.program.peers == exposure::loopback ? severity::warning : severity::critical,
                     {key::tcp_tw_recycle, key::tcp_timestamps},
                     "The kernel remembers one timestamp per client address and silently drops every SYN from there "
                     "that carries an older one or none; closes by any program on this host feed that record",
                     shares_addresses(in.program.peers)
                         ? "Of several clients behind one address some get no answer for up to 60 s at a time, while "
                           "others connect at once; PAWSPassive in /proc/net/netstat counts them"
                         : "Clients without timestamps, or whose timestamps do not rise from one connection to the "
                           "next (as of Linux 6.18, random per connection), get no answer for up to 60 s at a time; "
                           "PAWSPassive in /proc/net/netstat counts them",
                     set_key(in.host, key::tcp_tw_recycle, "0"),
                     "Linux 4.11 net/ipv4/tcp_metrics.c: tcp_peer_is_proven; removed in 4.12 (commit 4396e46187ca)");
    },
    {counter::paws_passive}};

inline constexpr rule tw_recycle_hidden{
    "CS103", "tcp_tw_recycle of the host applies here and cannot be seen",
    [](const rule_input& in) -> std::optional<judgement> {
        if (in.host[key::tcp_tw_recycle].status != key_status::hidden) return std::nullopt;
        return found(
            in.program.peers == exposure::loopback ? severity::note : severity::warning, {key::tcp_tw_recycle},
            compose("Linux {} has tcp_tw_recycle, shows it in the initial network namespace only, and applies it here",
                    {in.host.kernel}),
            "If it is on, some of the clients behind one address get no answer for up to 60 s at a time",
            "On the host, outside of this container, run `sysctl net.ipv4.tcp_tw_recycle` and, if it is not "
            "0, `sysctl -w net.ipv4.tcp_tw_recycle=0`; it cannot be done from here",
            "Linux 4.10 net/ipv4/sysctl_net_ipv4.c: per namespace since 4.11 only");
    }};

} // namespace closeside::host::detail::rules

#endif
