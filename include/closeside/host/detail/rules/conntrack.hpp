// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_CONNTRACK_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_CONNTRACK_HPP

#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/meaning_by_release.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

inline constexpr std::string_view conntrack_table_source =
    "Linux net/netfilter/nf_conntrack_core.c: __nf_conntrack_alloc; "
    "Documentation/networking/nf_conntrack-sysctl.rst";

/// The files are there as soon as nf_conntrack is loaded or built in; flows are tracked only if a rule of the
/// firewall or of NAT asks for it. A count that is not shown is taken for tracking.
[[gnu::cold]] inline bool tracks_flows(const snapshot& s) noexcept { return s.number(key::conntrack_count) != 0; }

/// A setting of conntrack harms nobody while nothing is tracked.
[[gnu::cold]] inline severity where_tracked(const rule_input& in, severity level) noexcept {
    return tracks_flows(in.host) ? level : severity::note;
}

/// `text` begins in lower case.
[[gnu::cold]] inline std::string consequence_where_tracked(const rule_input& in, std::string text) {
    if (!tracks_flows(in.host))
        return compose("None now, nothing is tracked here (nf_conntrack_count is 0); else: {}", {text});
    if (text.front() >= 'a' && text.front() <= 'z') text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
}

inline constexpr std::string_view when_table_is_full =
    "new connections are dropped without an answer, of every program on this host: clients time out; the kernel's log "
    "says `nf_conntrack: table full, dropping packet`";

/// From there on an operator should know, whatever the load was planned for; a judgement.
inline constexpr double much_of_the_table = 0.8;

[[gnu::cold]] inline std::string percent(double part) { return compose("{} %", {whole(part * 100)}); }

/// A size for the table in which `flows` take up less than much_of_the_table.
[[gnu::cold]] inline std::string table_for(double flows) {
    constexpr double largest = 1u << 30;
    const double size = std::min(std::ceil(flows / much_of_the_table) + 1, largest);
    return std::to_string(std::bit_ceil(static_cast<std::uint64_t>(size)));
}

/// How long conntrack keeps a connection of this program after its end, in seconds, and by which key.
/** A program that only aborts leaves flows in CLOSE; any other leaves some in TIME_WAIT. */
[[gnu::cold]] inline key kept_by(const rule_input& in) noexcept {
    return std::all_of(in.program.policies.begin(), in.program.policies.end(),
                       [](const close_policy& p) { return p.linger == lingering::abort; })
               ? key::conntrack_close
               : key::conntrack_time_wait;
}

/// Connections that the program states it opens or accepts in a second.
[[gnu::cold]] inline double stated_flows_per_second(const rule_input& in) noexcept {
    return in.program.accepts_per_second.value_or(0) + in.program.connects_per_second.value_or(0);
}

/// The size for the flows of now and for those of the stated rate, each kept as long as by the kernel's default at least:
/// one value, whichever rule proposes it.
[[gnu::cold]] inline std::string wanted_table(const rule_input& in) {
    const key kept = kept_by(in);
    const std::int64_t by_default = kept == key::conntrack_time_wait ? 120 : 10;
    const double seconds = static_cast<double>(std::max(in.number(kept).value_or(0), by_default));
    return table_for(std::max(static_cast<double>(in.number(key::conntrack_count).value_or(0)),
                              stated_flows_per_second(in) * seconds));
}

inline constexpr rule conntrack_nearly_full{
    "CS402", "the conntrack table is nearly full", [](const rule_input& in) -> std::optional<judgement> {
        const auto count = in.number(key::conntrack_count), limit = in.number(key::conntrack_max);
        const auto used = capacity_of(in.host).conntrack_used;
        if (!used || *used <= much_of_the_table) return std::nullopt;
        const bool full = *count >= *limit;
        return found(full ? severity::critical : severity::warning, {key::conntrack_count, key::conntrack_max},
                     compose("The conntrack table holds {} of {} flows ({})", {*count, *limit, percent(*used)}),
                     compose("{}{}", {full ? "It is full: " : "When it is full, ", when_table_is_full}),
                     set_key(in.host, key::conntrack_max, wanted_table(in)) +
                         "; or do not track what no rule filters or translates (notrack)",
                     conntrack_table_source);
    }};

inline constexpr rule conntrack_below_rate{
    "CS403", "the conntrack table is too small for the stated rate",
    [](const rule_input& in) -> std::optional<judgement> {
        const double rate = stated_flows_per_second(in);
        const key kept = kept_by(in);
        const auto limit = in.number(key::conntrack_max), seconds = in.number(kept);
        if (!limit || *limit <= 0 || !seconds || *seconds <= 0) return std::nullopt;
        const double flows = rate * static_cast<double>(*seconds);
        const double part = flows / static_cast<double>(*limit);
        if (!(part > much_of_the_table)) return std::nullopt;
        return found(
            part > 1 ? where_tracked(in, severity::warning) : severity::note, {key::conntrack_max, kept},
            compose("At the stated {} connections a second, each remembered for {} s after its end, {} flows are in a "
                    "table for {}",
                    {whole(rate), *seconds, whole(flows), *limit}),
            consequence_where_tracked(
                in, compose("{}{}", {part > 1 ? "at that rate " : "when others fill the rest, ", when_table_is_full})),
            set_key(in.host, key::conntrack_max, wanted_table(in)) +
                "; or do not track what no rule filters or translates (notrack)",
            conntrack_table_source);
    }};

inline constexpr rule conntrack_not_loose{
    "CS405", "conntrack does not pick up connections that it has not seen begin",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_off(key::conntrack_loose)) return std::nullopt;
        return found(severity::note, {key::conntrack_loose},
                     "nf_conntrack_tcp_loose is 0: a segment of a connection that conntrack does not know is "
                     "INVALID, unless it is "
                     "a SYN",
                     consequence_where_tracked(in,
                                               "when the table is flushed or a balancer fails over to this host, live "
                                               "connections hang if a rule drops INVALID"),
                     compose("Nothing, if it was set for SYNPROXY, which needs it; otherwise {}",
                             {set_key(in.host, key::conntrack_loose, "1").text}),
                     "Linux net/netfilter/nf_conntrack_proto_tcp.c: tcp_new; iptables-extensions(8), SYNPROXY");
    }};

/// The kernel's default, and only NAT suffers from it; hence a note, and for shared addresses alone.
inline constexpr rule conntrack_not_liberal{
    "CS406", "segments out of window pass NAT without translation",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_off(key::conntrack_be_liberal) || !shares_addresses(in.program.peers) || !tracks_flows(in.host))
            return std::nullopt;
        return found(
            severity::note, {key::conntrack_be_liberal},
            "nf_conntrack_tcp_be_liberal is 0, the default: a segment out of the window that conntrack expects is "
            "INVALID, and NAT rules on this host do not translate it",
            "Where this host translates addresses (Docker, kube-proxy): a late segment arrives under the wrong address "
            "and "
            "is answered with RST, so that connections with much data are reset now and then",
            compose("Drop INVALID segments on the host that translates (`ct state invalid drop`), or {}",
                    {set_key(in.host, key::conntrack_be_liberal, "1").text}),
            "Linux net/netfilter/nf_conntrack_proto_tcp.c: tcp_in_window, net/netfilter/nf_nat_core.c: nf_nat_inet_fn; "
            "kubernetes/kubernetes#74839");
    }};

/// What nf_conntrack_max = 4 * nf_conntrack_buckets gives, as older kernels chose it; newer ones choose them equal.
inline constexpr std::int64_t longest_sensible_chain = 8;

[[gnu::cold]] inline remedy enlarge_buckets(const snapshot& s, std::int64_t buckets) {
    if (takes_conntrack_buckets(s)) return set_key(s, key::conntrack_buckets, std::to_string(buckets));
    return compose("As root on the host, `echo {} > /sys/module/nf_conntrack/parameters/hashsize`, and put `options "
                   "nf_conntrack hashsize={}` into a file below /etc/modprobe.d/ to make it last: before Linux 4.7 "
                   "nf_conntrack_buckets can only be read",
                   {buckets, buckets});
}

inline constexpr rule conntrack_long_chains{
    "CS408", "nf_conntrack_max is far above nf_conntrack_buckets",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto limit = in.number(key::conntrack_max), buckets = in.number(key::conntrack_buckets);
        // Each flow is in the table twice, once for each direction.
        if (!limit || !buckets || *buckets <= 0 || *limit / *buckets < longest_sensible_chain / 2) return std::nullopt;
        const double chain = 2 * static_cast<double>(*limit) / static_cast<double>(*buckets);
        if (chain <= longest_sensible_chain) return std::nullopt;
        return found(severity::note, {key::conntrack_max, key::conntrack_buckets},
                     compose("nf_conntrack_max is {} and the hash table has {} buckets: when it is full, {} "
                             "entries share a bucket, each flow being entered twice",
                             {*limit, *buckets, whole(std::ceil(chain))}),
                     "Every packet that is tracked costs more processor time the fuller the table is",
                     enlarge_buckets(in.host, *limit / (longest_sensible_chain / 2) + 1),
                     "Linux Documentation/networking/nf_conntrack-sysctl.rst");
    }};

} // namespace closeside::host::detail::rules

#endif
