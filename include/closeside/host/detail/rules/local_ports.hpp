// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_LOCAL_PORTS_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_LOCAL_PORTS_HPP

#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/evidence.hpp>
#include <closeside/host/detail/meaning_by_release.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>
#include <closeside/host/detail/rules/tw_reuse.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

inline constexpr std::string_view local_ports_source =
    "Linux net/ipv4/inet_hashtables.c: __inet_hash_connect, net/ipv4/inet_connection_sock.c: inet_csk_find_open_port";

/// ip_local_port_range and what ip_local_reserved_ports leaves of it.
struct local_range {
    std::int64_t low, high;
    std::string_view reserved;
    std::int64_t usable;

    std::int64_t width() const noexcept { return high - low + 1; }
    bool offers(std::int64_t port) const {
        return low <= port && port <= high && host::detail::unreserved_ports(port, port, reserved) == 1;
    }
};

/// Nothing if either key is there but cannot be read.
[[gnu::cold]] inline std::optional<local_range> local_range_of(const snapshot& s) {
    const key_value& range = s[key::ip_local_port_range];
    const key_value& reserved = s[key::ip_local_reserved_ports];
    const bool known = reserved.status == key_status::present || reserved.status == key_status::absent;
    if (!s.number(key::ip_local_port_range) || !range.high || !known) return std::nullopt;
    // The kernel takes no others; a copied file may hold anything.
    const auto port = [](std::int64_t number) { return std::clamp<std::int64_t>(number, 0, 65535); };
    const std::int64_t low = port(*range.number), high = port(*range.high);
    return local_range{low, high, reserved.text, host::detail::unreserved_ports(low, high, reserved.text)};
}

[[gnu::cold]] inline std::string range_text(const local_range& r) {
    return r.low == r.high ? compose("port {} alone", {r.low}) : compose("ports {} to {}", {r.low, r.high});
}

[[gnu::cold]] inline bool connects_out(const rule_input& in) noexcept {
    return in.program.connects_per_second.value_or(0) > 0;
}

/// What the ports would allow if tcp_tw_reuse let them be re-used, after no less than CS107 calls safe.
[[gnu::cold]] inline double rate_with_reuse(const snapshot& s, std::int64_t ports) noexcept {
    const std::int64_t delay = s.number(key::tcp_tw_reuse_delay).value_or(shortest_safe_reuse_delay_ms);
    return static_cast<double>(ports) * 1000 / static_cast<double>(std::max(delay, shortest_safe_reuse_delay_ms));
}

inline constexpr std::string_view no_port_left =
    "Outgoing connections fail with EADDRNOTAVAIL, and sockets that bind to any free port with EADDRINUSE";

/// Nine in ten ports reserved.
inline constexpr std::int64_t mostly_reserved = 10;

inline constexpr rule listening_port_not_reserved{
    "CS301", "a port that the program listens on can be taken by an outgoing connection",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto range = local_range_of(in.host);
        if (!range) return std::nullopt;
        std::string ports;
        for (const std::uint16_t port : in.program.listening_ports)
            if (range->offers(port)) ports += compose("{}{}", {ports.empty() ? "" : ",", port});
        if (ports.empty()) return std::nullopt;
        const bool several = ports.find(',') != ports.npos;
        const std::string list =
            range->reserved.empty() ? ports : compose("{},{}", {std::string(range->reserved), ports});
        const bool enough_left =
            host::detail::unreserved_ports(range->low, range->high, list) * mostly_reserved > range->width();
        return found(severity::warning, {key::ip_local_port_range, key::ip_local_reserved_ports},
                     compose("The program listens on {}, among the {} that the kernel gives to outgoing "
                             "connections, and {} not reserved",
                             {ports, range_text(*range), several ? "these are" : "it is"}),
                     "While the program is down, another connection can take the port: the restart then fails with "
                     "EADDRINUSE, for up to 60 s after that connection has ended, SO_REUSEADDR or not",
                     enough_left
                         ? set_key(in.host, key::ip_local_reserved_ports, list) + "; or listen outside of the range"
                         : remedy("Listen outside of the range, or choose another ip_local_port_range: with "
                                  "the ports reserved too few would be left"),
                     "Linux net/ipv4/inet_connection_sock.c: inet_bind_conflict; Documentation/networking/"
                     "ip-sysctl.rst: ip_local_reserved_ports");
    }};

/// A judgement: if the rate is that near to what the ports allow, a burst goes beyond it.
inline constexpr double near_port_limit = 0.8;

/// Not if the peer closes first: a port without TIME-WAIT is free at once. If it only should, the ports that it leaves
/// bound are few.
inline constexpr rule ports_below_rate{
    "CS302", "too few local ports for the stated rate of connects",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto rate = in.program.connects_per_second;
        const bool loopback = in.program.peers == exposure::loopback;
        const capacity can = capacity_of(in.host);
        const auto most = loopback ? can.loopback_connects_per_second : can.connects_per_second;
        if (!rate || !(*rate > 0) || !most || !can.local_ports || *can.local_ports == 0 || !in.can_hold_time_wait())
            return std::nullopt;
        if (*rate <= *most * near_port_limit) return std::nullopt;

        const bool beyond = *rate > *most, first = in.closes_first();
        const double held = host::detail::port_hold_seconds(in.host, loopback);
        const std::string to = loopback ? "to one address and port on loopback" : "to one address and port";
        // Whether re-use would do, if it is off as yet.
        const bool reuse_helps = in.is_on(key::tcp_timestamps) && held == static_cast<double>(time_wait_seconds) &&
                                 *rate <= rate_with_reuse(in.host, *can.local_ports);
        const std::string_view value = loopback && !is_before(in.host, tw_reuse_knows_loopback) ? "2" : "1";
        std::string message = compose(
            "The program states {} connects a second {}; {}{}{} s after {}, allow {}",
            {host::detail::plain_number(*rate), to, *can.local_ports,
             *can.local_ports == 1 ? " local port, bound for " : " local ports, each bound for ",
             host::detail::plain_number(held), first ? "the close" : "each close that the other end leaves to this one",
             host::detail::plain_number(*most)});
        if (!loopback && tw_reuse_of(in.host) == 2 && can.loopback_connects_per_second)
            message += compose(" (to 127.0.0.0/8 and ::1: {})",
                               {host::detail::plain_number(*can.loopback_connects_per_second)});
        const remedy keep = first ? "Keep connections open, or let the other end close first; otherwise "
                                  : "Keep connections open, or have the other end close in time; otherwise ";
        return found(
            beyond && first ? severity::warning : severity::note,
            {key::ip_local_port_range, key::ip_local_reserved_ports, key::tcp_tw_reuse, key::tcp_timestamps}, message,
            !first   ? "None while the other end closes first; if it often does not, connects fail with "
                       "EADDRNOTAVAIL"
            : beyond ? compose("After {} s at that rate connects fail with EADDRNOTAVAIL, until TIME-WAITs end",
                               {host::detail::plain_number(static_cast<double>(*can.local_ports) / *rate)})
                     : std::string("None yet; a burst above it makes connects fail with EADDRNOTAVAIL"),
            reuse_helps && beyond ? keep + set_key(in.host, key::tcp_tw_reuse, value)
            : reuse_helps         ? remedy(keep.text + set_key(in.host, key::tcp_tw_reuse, value).text)
                          : remedy(compose("{}widen net.ipv4.ip_local_port_range, or connect from more addresses, "
                                           "bound with IP_BIND_ADDRESS_NO_PORT",
                                           {keep.text})),
            "Linux net/ipv4/inet_hashtables.c: __inet_check_established, net/ipv4/tcp_ipv4.c: "
            "tcp_twsk_unique; measured on Linux 6.18: 100 ports give 100 connects in 60 s, or 100 a second");
    }};

inline constexpr rule autobind_reuses_ports{
    "CS303", "ip_autobind_reuse lets sockets share a port and fail later",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_on(key::ip_autobind_reuse)) return std::nullopt;
        const bool bound = std::any_of(in.program.policies.begin(), in.program.policies.end(),
                                       [](const close_policy& p) { return p.reuse_address; });
        return found(connects_out(in) && bound ? severity::warning : severity::note, {key::ip_autobind_reuse},
                     "ip_autobind_reuse is on: once every local port is taken, bind() to port 0 with SO_REUSEADDR "
                     "gives one that other sockets have",
                     "bind() no longer says that the ports are used up; connect() does, with EADDRNOTAVAIL, if "
                     "another socket on that port has the same destination",
                     stop_setting(in.host, key::ip_autobind_reuse, "0") +
                         "; IP_BIND_ADDRESS_NO_PORT before bind() to an address gives the same economy without it",
                     "Linux net/ipv4/inet_connection_sock.c: inet_csk_find_open_port; Documentation/networking/"
                     "ip-sysctl.rst: ip_autobind_reuse");
    }};

/// A judgement: 16 connects a second to one destination.
inline constexpr std::int64_t few_local_ports = 1000;

inline constexpr rule local_ports_few{
    "CS304", "ip_local_port_range is very narrow", [](const rule_input& in) -> std::optional<judgement> {
        const auto range = local_range_of(in.host);
        if (!range || range->usable >= few_local_ports || range->usable * mostly_reserved <= range->width())
            return std::nullopt;
        const bool single = range->usable == 1;
        return found(
            single || connects_out(in) ? severity::warning : severity::note,
            {key::ip_local_port_range, key::ip_local_reserved_ports},
            compose(
                "ip_local_port_range gives {}: {} usable, or {} closed connections a second to one address and port",
                {range_text(*range), range->usable,
                 host::detail::plain_number(static_cast<double>(range->usable) /
                                            static_cast<double>(time_wait_seconds))}),
            single ? "The host can have one outgoing connection at a time to one address and port; the next "
                     "fails with EADDRNOTAVAIL"
                   : compose("{}, as soon as so many are open or in TIME-WAIT", {no_port_left}),
            stop_setting(in.host, key::ip_local_port_range, "32768 60999"), local_ports_source);
    }};

inline constexpr rule local_ports_reserved{
    "CS305", "ip_local_reserved_ports covers the local ports", [](const rule_input& in) -> std::optional<judgement> {
        const auto range = local_range_of(in.host);
        if (!range || range->width() <= 0 || range->usable * mostly_reserved > range->width()) return std::nullopt;
        const bool none = range->usable == 0;
        return found(none || connects_out(in) ? severity::warning : severity::note,
                     {key::ip_local_port_range, key::ip_local_reserved_ports},
                     compose("ip_local_reserved_ports takes {} of the {} local ports and leaves {}",
                             {range->width() - range->usable, range->width(), range->usable}),
                     none ? compose("{}, all of them", {no_port_left})
                          : compose("{}, as soon as so many are open or in TIME-WAIT", {no_port_left}),
                     "Reserve single ports and not the range: shorten net.ipv4.ip_local_reserved_ports to the ports "
                     "that programs listen on, or choose another ip_local_port_range",
                     local_ports_source);
    }};

/// What is above belongs to the ranges that systems use by default; a judgement.
inline constexpr std::int64_t first_port_apart_from_services = 10000;

inline constexpr rule local_ports_among_services{
    "CS306", "ip_local_port_range begins among the ports of services",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto range = local_range_of(in.host);
        if (!range || range->low >= first_port_apart_from_services || range->usable == 0) return std::nullopt;
        return found(
            severity::note, {key::ip_local_port_range, key::ip_local_reserved_ports},
            compose("ip_local_port_range begins at {}: outgoing connections use ports on which services usually "
                    "listen, as 3306, 5432 or 8080{}",
                    {range->low, range->reserved.empty() ? ", and none is reserved"
                                                         : compose("; reserved are {}", {range->reserved})}),
            "Now and then a service fails to start with EADDRINUSE, because a connection has its port or "
            "left it in TIME-WAIT",
            compose("Begin the range at 10000 or above, or reserve the port of every service on this host: {}",
                    {set_key(in.host, key::ip_local_port_range,
                             range->high >= 2 * first_port_apart_from_services
                                 ? compose("{} {}", {first_port_apart_from_services, range->high})
                                 : std::string("32768 60999"))
                         .text}),
            "Linux net/ipv4/inet_connection_sock.c: inet_bind_conflict; RFC 6335 section 6");
    }};

} // namespace closeside::host::detail::rules

#endif
