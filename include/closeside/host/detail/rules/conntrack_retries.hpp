// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_CONNTRACK_RETRIES_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_CONNTRACK_RETRIES_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/retry_time.hpp>
#include <closeside/host/detail/rule.hpp>
#include <closeside/host/detail/rules/conntrack_timeouts.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace closeside::host::detail::rules {

/// TCP waits that long between two retransmissions, in the end.
inline constexpr std::int64_t longest_retry_gap = longest_rto_ms / 1000;
/// A judgement: an outage of half a minute is one that connections should survive.
inline constexpr std::int64_t very_short_for_retries = 30;

inline constexpr rule conntrack_retransmission_short{
    "CS410", "conntrack forgets a connection between two retransmissions",
    [](const rule_input& in) -> std::optional<judgement> {
        std::vector<key> keys;
        std::string message;
        remedy fix;
        bool very_short = false;
        const auto judge = [&](key timeout, const char* when) {
            const auto seconds = in.number(timeout);
            if (!seconds || *seconds >= longest_retry_gap) return;
            keys.push_back(timeout);
            very_short = very_short || *seconds < very_short_for_retries;
            message += compose(
                "{}{} is {} s, for a connection {}",
                {message.empty() ? "" : "; ", to_string(timeout).substr(sizeof "net.netfilter." - 1), *seconds, when});
            fix = (fix.text.empty() ? remedy() : fix + "; and ") + stop_setting(in.host, timeout, "300");
        };
        judge(key::conntrack_max_retrans, "one of whose segments was sent again and again");
        judge(key::conntrack_unacknowledged, "with unacknowledged data");
        if (keys.empty()) return std::nullopt;
        return found(
            very_short ? off_loopback(in, severity::warning) : severity::note, keys,
            message + "; TCP waits up to 120 s between two retransmissions",
            consequence_where_tracked(in, compose("an interruption of the path that TCP would survive ends the "
                                                  "connection: the flow is forgotten, and {}",
                                                  {forgotten_flow})),
            fix, "Linux net/netfilter/nf_conntrack_proto_tcp.c: nf_conntrack_tcp_packet, tcp_timeouts");
    }};

/// SYN-ACKs are sent again after 1, 2, 4, 8 and 16 s; a judgement how many of them must find the flow.
inline constexpr std::int64_t gap_before_last_synack = 16, gap_before_third_synack = 4;

inline constexpr rule conntrack_handshake_short{
    "CS411", "conntrack forgets a handshake that needs a retransmission",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto seconds = in.number(key::conntrack_syn_recv);
        if (!seconds || *seconds >= gap_before_last_synack) return std::nullopt;
        const bool very_short = *seconds < gap_before_third_synack;
        return found(very_short ? off_loopback(in, severity::warning) : severity::note, {key::conntrack_syn_recv},
                     compose("nf_conntrack_tcp_timeout_syn_recv is {} s: a client whose ACK does not come within that "
                             "time is forgotten; SYN-ACKs are sent again after 1, 2, 4, 8 and 16 s",
                             {*seconds}),
                     consequence_where_tracked(in,
                                               "clients on lossy paths connect late or time out: what they send finds "
                                               "no flow, and a firewall that wants a SYN first drops it"),
                     stop_setting(in.host, key::conntrack_syn_recv, "60"),
                     "Linux net/netfilter/nf_conntrack_proto_tcp.c: tcp_timeouts; net/ipv4/inet_connection_sock.c: "
                     "reqsk_timer_handler");
    }};

} // namespace closeside::host::detail::rules

#endif
