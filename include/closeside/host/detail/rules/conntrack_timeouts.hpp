// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_CONNTRACK_TIMEOUTS_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_CONNTRACK_TIMEOUTS_HPP

#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>
#include <closeside/host/detail/rules/conntrack.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail::rules {

// Which time-out governs a flow (tcp_conntracks): ESTABLISHED until somebody's FIN; FIN_WAIT from then until the other
// side acknowledges it; CLOSE_WAIT until the other side's FIN; LAST_ACK until that is acknowledged; then TIME_WAIT. Each
// packet starts the time-out of the state anew.
inline constexpr std::string_view conntrack_states_source =
    "Linux net/netfilter/nf_conntrack_proto_tcp.c: tcp_conntracks, nf_conntrack_tcp_packet";

/// The kernel's defaults, in seconds.
inline constexpr std::int64_t default_fin_wait = 120, default_close_wait = 60, default_last_ack = 30;

/// `d` is more than so many seconds.
constexpr bool outlasts(close_duration d, std::int64_t seconds) noexcept {
    return d.count / 1000 > seconds || (d.count / 1000 == seconds && d.count % 1000 > 0);
}

constexpr bool is_for_ever(close_duration d) noexcept { return d.count == std::numeric_limits<std::int64_t>::max(); }

[[gnu::cold]] inline std::string in_words(close_duration d) {
    if (is_for_ever(d)) return "ever";
    return d.count % 1000 == 0 ? compose("{} s", {d.count / 1000}) : compose("{} ms", {d.count});
}

[[gnu::cold]] inline std::string for_up_to(close_duration d) {
    return (is_for_ever(d) ? "for " : "for up to ") + in_words(d);
}

[[gnu::cold]] inline std::string whole_seconds_of(close_duration d) {
    return std::to_string(d.count / 1000 + (d.count % 1000 > 0));
}

[[gnu::cold]] inline bool our_fin_is_first(const close_policy& p) noexcept { return p.closes_first == side::local; }
[[gnu::cold]] inline bool peers_fin_is_first(const close_policy& p) noexcept { return p.closes_first == side::peer; }
/// The exception under such a policy: the peer's has not come within patience.
[[gnu::cold]] inline bool our_fin_ends_patience(const close_policy& p) noexcept {
    return p.closes_first == side::peer && p.on_limit == limit_action::close;
}

/// The longest of what `wait` says of each such policy that ends in order.
template <class Which, class Wait>
close_duration longest_wait(const rule_input& in, Which which, Wait wait) noexcept {
    close_duration longest{0};
    for (const close_policy& p : in.program.policies)
        if (which(p) && p.linger != lingering::abort) longest = std::max(longest, wait(p));
    return longest;
}

/// How long the half-closed side waits without a packet from the peer, which has acknowledged everything.
[[gnu::cold]] inline close_duration silence(const close_policy& p) noexcept {
    return std::min(p.drain_time, p.drain_idle);
}

[[gnu::cold]] inline close_duration time_for_acks(const close_policy& p) noexcept {
    return p.linger.how == lingering::mode::until_acked ? p.linger.time : close_duration{0};
}
[[gnu::cold]] inline close_duration time_for_first_acks(const close_policy& p) noexcept {
    return std::max(p.drain_time, time_for_acks(p));
}

[[gnu::cold]] inline severity off_loopback(const rule_input& in, severity level) noexcept {
    return in.program.peers == exposure::loopback ? severity::note : where_tracked(in, level);
}

inline constexpr std::string_view forgotten_flow =
    "its FIN is INVALID then: a stateful firewall drops it, NAT does not translate it";

/// What these keys take if the kernel counts 1000 jiffies a second.
inline constexpr std::int64_t longest_timeout = std::numeric_limits<std::int32_t>::max() / 1000;

/// Sets each of some time-outs so that a wait of the policies fits, if the kernel has one that long.
[[gnu::cold]] inline void let_it_last(remedy& fix, const snapshot& s, key timeout, close_duration wait) {
    if (outlasts(wait, longest_timeout)) return;
    fix = (fix.text.empty() ? remedy() : std::move(fix) + "; and ") + set_key(s, timeout, whole_seconds_of(wait));
}

inline constexpr rule conntrack_time_wait_short{
    "CS401",
    "conntrack forgets a closed connection before its TIME-WAIT is over",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto seconds = in.number(key::conntrack_time_wait);
        if (!seconds || *seconds >= time_wait_seconds) return std::nullopt;
        const bool shared = shares_addresses(in.program.peers);
        const bool meets_time_wait = in.closes_first() && shared;
        return found(
            meets_time_wait ? where_tracked(in, severity::warning) : severity::note, {key::conntrack_time_wait},
            compose("nf_conntrack_tcp_timeout_time_wait is {} s: a NAT on this host may give a port to the next "
                    "connection while the server still holds the last one in TIME-WAIT (60 s)",
                    {*seconds}),
            consequence_where_tracked(
                in,
                meets_time_wait
                    ? std::string("about half of the connections that get such a port begin with a rejected SYN: 10 ms "
                                  "to 1 s late, or timed out if tcp_rfc1337 is 1 or RSTs are filtered")
                : in.can_hold_time_wait() && shared
                    ? std::string("none while the peers of the program close first; connections that get the port of "
                                  "one which it closed itself may begin with a rejected SYN, and servers that are "
                                  "reached through this host can be hit")
                    : std::string("none from the program, which leaves no TIME-WAIT here or whose peers do not share "
                                  "addresses; servers that are reached through this host can be hit")),
            stop_setting(in.host, key::conntrack_time_wait, "120") + "; at least 60",
            "Linux net/netfilter/nf_conntrack_proto_tcp.c: tcp_timeouts, include/net/tcp.h: TCP_TIMEWAIT_LEN");
    },
    {counter::paws_timewait, counter::ack_skipped_time_wait}};

inline constexpr rule half_close_forgotten{
    "CS404", "the program waits for the peer longer than conntrack keeps the flow",
    [](const rule_input& in) -> std::optional<judgement> {
        const close_duration usual = longest_wait(in, our_fin_is_first, silence);
        const close_duration drain = std::max(usual, longest_wait(in, our_fin_ends_patience, silence));
        const close_duration patience =
            longest_wait(in, peers_fin_is_first, [](const close_policy& p) { return p.patience; });
        const auto half_closed = in.number(key::conntrack_close_wait), open = in.number(key::conntrack_established);

        std::vector<key> keys;
        std::string message;
        remedy fix;
        if (half_closed && outlasts(drain, *half_closed)) {
            keys.push_back(key::conntrack_close_wait);
            message = compose("The program waits {} without a byte for the peer's FIN after its "
                              "own; conntrack keeps such a flow, in CLOSE_WAIT, for {} s without a packet",
                              {for_up_to(drain), *half_closed});
            let_it_last(fix, in.host, key::conntrack_close_wait, drain);
        }
        if (open && outlasts(patience, *open)) {
            keys.push_back(key::conntrack_established);
            message += compose("{}{} for the peer to close first; conntrack keeps such a flow, in "
                               "ESTABLISHED, for {} s without a packet",
                               {message.empty() ? "The program waits " : "; and ", for_up_to(patience), *open});
            let_it_last(fix, in.host, key::conntrack_established, patience);
        }
        const bool as_a_rule = (half_closed && outlasts(usual, *half_closed)) || (open && outlasts(patience, *open));
        if (!keys.empty())
            return found(
                as_a_rule ? off_loopback(in, severity::warning) : severity::note, keys, message,
                consequence_where_tracked(in, compose("a peer that is silent for longer is forgotten, and {}; the "
                                                      "close runs into its limit, and the peer's last data may be lost",
                                                      {forgotten_flow})),
                (fix.text.empty() ? remedy("Have the program wait for less")
                                  : std::move(fix) + "; or have the program wait for less") +
                    "; a NAT elsewhere on the way has a limit of its own",
                conntrack_states_source);

        // Nothing can be read of the NATs on the way; those that are Linux have a default.
        if (half_closed || !shares_addresses(in.program.peers) || !outlasts(drain, default_close_wait))
            return std::nullopt;
        return found(
            severity::note, {key::conntrack_close_wait},
            compose("The program waits {} without a byte for the peer's FIN after its own; a NAT "
                    "on the way keeps a half-closed flow for 60 s without a packet if it is Linux at its defaults, for "
                    "240 s if it keeps RFC 5382",
                    {for_up_to(drain)}),
            "A peer that is silent for longer loses its last data and its FIN at the NAT; the close runs into "
            "its limit",
            "Have the program wait for less, or let peers send something now and then until they close",
            "RFC 5382, REQ-5; Linux net/netfilter/nf_conntrack_proto_tcp.c: tcp_timeouts");
    }};

inline constexpr rule conntrack_idle_short{
    "CS407", "conntrack forgets idle connections", [](const rule_input& in) -> std::optional<judgement> {
        const auto seconds = in.number(key::conntrack_established);
        const auto first_probe = in.number(key::tcp_keepalive_time);
        if (!seconds) return std::nullopt;
        const auto idle = in.program.idle_time;
        const bool wanted = idle && outlasts(*idle, *seconds);
        const bool probed_late = first_probe && *first_probe >= *seconds;
        if (idle ? !wanted : !probed_late) return std::nullopt;
        std::string message = compose("nf_conntrack_tcp_timeout_established is {} s: ", {*seconds});
        if (wanted) message += compose("connections of the program may be silent for {}", {in_words(*idle)});
        if (wanted && first_probe) message += ", and ";
        if (first_probe)
            message += compose("the first keep-alive is sent after {} s (tcp_keepalive_time)", {*first_probe});
        return found(
            wanted && (probed_late || !first_probe) ? off_loopback(in, severity::warning) : severity::note,
            {key::conntrack_established, key::tcp_keepalive_time}, message,
            consequence_where_tracked(
                in, wanted && !probed_late
                        ? std::string("silent connections without SO_KEEPALIVE are forgotten; those with it live on")
                        : std::string(
                              "silent connections are forgotten, SO_KEEPALIVE or not: what follows counts as a new "
                              "flow, which NAT may send elsewhere and which a firewall drops that wants a SYN first")),
            compose(
                "Let the program set SO_KEEPALIVE, and TCP_KEEPIDLE below {} s; or go back to the kernel's default: {}",
                {*seconds, set_key(in.host, key::conntrack_established, "432000").text}),
            conntrack_states_source);
    }};

inline constexpr rule conntrack_close_short{
    "CS409", "conntrack may forget a connection while its last FIN is under way",
    [](const rule_input& in) -> std::optional<judgement> {
        const close_duration usual = longest_wait(in, our_fin_is_first, time_for_first_acks);
        const close_duration local = std::max(usual, longest_wait(in, our_fin_ends_patience, time_for_first_acks));
        const close_duration peer = longest_wait(in, peers_fin_is_first, time_for_acks);
        const auto fin_wait = in.number(key::conntrack_fin_wait), last_ack = in.number(key::conntrack_last_ack);

        std::vector<key> keys;
        std::string message;
        remedy fix;
        bool lowered = false;
        const auto judge = [&](key timeout, std::optional<std::int64_t> seconds, std::int64_t by_default,
                               close_duration wait, close_duration as_a_rule, const char* which) {
            if (!seconds || !outlasts(wait, *seconds)) return;
            keys.push_back(timeout);
            lowered = lowered || (*seconds < by_default && outlasts(as_a_rule, *seconds));
            message += compose(
                "{}{} for the peer to acknowledge the {} FIN, and conntrack keeps the flow for {} s without a packet",
                {message.empty() ? "The program waits " : "; and ", for_up_to(wait), which, *seconds});
            let_it_last(fix, in.host, timeout, wait);
        };
        judge(key::conntrack_fin_wait, fin_wait, default_fin_wait, local, usual, "first");
        judge(key::conntrack_last_ack, last_ack, default_last_ack, peer, peer, "second");
        if (keys.empty()) return std::nullopt;
        return found(lowered ? off_loopback(in, severity::warning) : severity::note, keys, message,
                     consequence_where_tracked(
                         in, "if segments are lost, a FIN sent again after such a pause finds no flow and does not "
                             "arrive; the peer never learns of the end"),
                     fix.text.empty() ? remedy("Have the program wait for less") : std::move(fix),
                     conntrack_states_source);
    }};

} // namespace closeside::host::detail::rules

#endif
