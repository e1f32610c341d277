// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_BACKLOG_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_BACKLOG_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/meaning_by_release.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail::rules {

inline constexpr std::string_view backlog_source =
    "Linux net/socket.c: __sys_listen, net/ipv4/tcp_input.c: tcp_conn_request; listen(2)";

/// What the full queue costs the clients: their SYN, or their last ACK, is dropped without an answer.
inline constexpr std::string_view waits_for_retransmission =
    "clients' SYNs are dropped: they connect a second or more late, when they send them again, or time out";

/// The kernel's default up to 5.3, and on RHEL 8.
inline constexpr std::int64_t old_default_somaxconn = 128;

/// How long a program may be kept from accepting, by its scheduler or a garbage collector; a judgement.
inline constexpr double longest_pause_seconds = 0.1;

inline constexpr rule backlog_capped{
    "CS205",
    "somaxconn is below the backlog that the program asks for",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto limit = in.number(key::somaxconn);
        // A negative backlog asks for as much as there is.
        if (!limit || !in.program.backlog || *in.program.backlog <= *limit) return std::nullopt;
        const std::int64_t longest = std::min<std::int64_t>(*in.program.backlog, longest_backlog(in.host));
        const bool can_be_had = longest == *in.program.backlog;
        return found(in.program.peers == exposure::loopback ? severity::note : severity::warning, {key::somaxconn},
                     compose("The program gives listen(2) a backlog of {}, and net.core.somaxconn is {}: the "
                             "kernel lowers it to that without a word, for the accept queue and the SYN queue",
                             {*in.program.backlog, *limit}),
                     compose("In a burst that the smaller queue does not hold, {}", {waits_for_retransmission}),
                     (longest <= *limit
                          ? remedy("Give listen(2) 65535 or less")
                          : set_key(in.host, key::somaxconn, std::to_string(longest)) +
                                "; then restart the program: the limit is applied when it calls listen(2)") +
                         (can_be_had ? "" : "; before Linux 4.1 no queue can be longer than 65535"),
                     backlog_source);
    },
    {counter::listen_overflows}};

inline constexpr rule somaxconn_small{
    "CS206",
    "somaxconn leaves a short accept queue",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto limit = in.number(key::somaxconn);
        if (!limit || *limit > old_default_somaxconn || in.program.backlog) return std::nullopt;
        const auto rate = in.program.accepts_per_second;
        // What an old kernel comes with is told where it matters.
        const bool overflowed = in.host.count(counter::listen_overflows).value_or(0) != 0;
        if (*limit == old_default_somaxconn && !rate && !overflowed) return std::nullopt;
        const bool too_short = rate && static_cast<double>(*limit) < *rate * longest_pause_seconds;
        const bool lowered = *limit < old_default_somaxconn;
        std::string message =
            compose("net.core.somaxconn is {}{}: no accept queue is longer, whatever the program gives to listen(2)",
                    {*limit, lowered ? std::string() : ", the default up to Linux 5.3 (4096 since)"});
        if (rate && *rate > 0)
            message += compose("; at the stated rate of connections a pause of {} ms fills it",
                               {whole(static_cast<double>(*limit) * 1000 / *rate)});
        return found(
            in.program.peers != exposure::loopback && (too_short || lowered) ? severity::warning : severity::note,
            {key::somaxconn}, message,
            compose("In a burst, or while the program does not accept for a moment, {}", {waits_for_retransmission}),
            set_key(in.host, key::somaxconn, "4096") + "; then restart the program, which must give "
                                                       "listen(2) as large a backlog",
            backlog_source);
    },
    {counter::listen_overflows}};

inline constexpr rule abort_on_overflow{
    "CS207",
    "tcp_abort_on_overflow resets clients that would have been served a moment later",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_on(key::tcp_abort_on_overflow)) return std::nullopt;
        return found(
            in.program.peers == exposure::loopback ? severity::note : severity::warning, {key::tcp_abort_on_overflow},
            compose("tcp_abort_on_overflow is {}: a client whose last ACK of the handshake finds the "
                    "accept queue full gets RST; with 0 it is let in when the SYN-ACK is sent again",
                    {in.host[key::tcp_abort_on_overflow].text}),
            "In a burst, clients that believed to be connected get ECONNRESET; SYNs are still dropped "
            "without an answer",
            set_key(in.host, key::tcp_abort_on_overflow, "0"), "Linux net/ipv4/tcp_minisocks.c: tcp_check_req");
    },
    {counter::listen_overflows}};

/// By the counter alone: a note while it stands still, which audit() raises when it moves.
inline constexpr rule accept_queue_overflows{
    "CS208",
    "the accept queue of a listener was full",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto times = in.host.count(counter::listen_overflows);
        if (!times || *times == 0) return std::nullopt;
        const auto limit = in.number(key::somaxconn);
        return found(severity::note, {key::somaxconn},
                     compose("An accept queue was full {}{} since this network namespace was made{}",
                             {*times, *times == 1 ? " time" : " times",
                              limit ? compose("; net.core.somaxconn allows {}", {*limit}) : std::string()}),
                     "Each time, a client's SYN or last ACK was dropped: it connected a second or more late, or timed "
                     "out",
                     "Accept faster, and give listen(2) a larger backlog (`ss -ltn` shows each listener's queue and "
                     "its limit); net.core.somaxconn must allow it",
                     "Linux net/ipv4/tcp_input.c: tcp_conn_request, net/ipv4/tcp_ipv4.c: tcp_v4_syn_recv_sock");
    },
    {counter::listen_overflows}};

/// Not if the number is high: reqsk_timer_handler lowers it by itself while the SYN queue is more than half full.
inline constexpr rule synack_not_retried{
    "CS210", "tcp_synack_retries is 0", [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_off(key::tcp_synack_retries)) return std::nullopt;
        return found(in.program.peers == exposure::loopback ? severity::note : severity::warning,
                     {key::tcp_synack_retries},
                     "tcp_synack_retries is 0: a SYN-ACK is sent once, and the half-open connection is given up after "
                     "1 s (63 s with the default of 5)",
                     "A client whose last ACK is lost or takes longer than that, or finds the accept queue full, "
                     "believes to be connected and gets RST for its first data",
                     stop_setting(in.host, key::tcp_synack_retries, "5"),
                     "Linux net/ipv4/inet_connection_sock.c: reqsk_timer_handler, syn_ack_recalc; "
                     "Documentation/networking/ip-sysctl.rst");
    }};

/// More would make no line longer than a screen.
inline constexpr std::size_t most_ports_named = 8;

/// Those of `shared` that the program says it listens on; all of them if it does not say where it listens.
[[gnu::cold]] inline std::vector<std::uint16_t> ports_of_concern(const std::vector<std::uint16_t>& shared,
                                                                 const std::vector<std::uint16_t>& own) {
    if (own.empty()) return shared;
    std::vector<std::uint16_t> both;
    for (const std::uint16_t port : shared)
        if (std::find(own.begin(), own.end(), port) != own.end()) both.push_back(port);
    return both;
}

/// A note where nobody says that the listeners come and go with the program that asks.
inline constexpr rule closed_listener_resets_its_queue{
    "CS211", "a closed listener resets what waits in its queue, though others listen on its port",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_off(key::tcp_migrate_req)) return std::nullopt;
        const auto ports = ports_of_concern(in.host.shared_ports, in.program.listening_ports);
        if (ports.empty()) return std::nullopt;
        std::string names;
        for (std::size_t i = 0; i != std::min(ports.size(), most_ports_named); ++i)
            names += compose("{}{}", {names.empty() ? "" : ", ", ports[i]});
        if (ports.size() > most_ports_named) names += compose(" and {} more", {ports.size() - most_ports_named});
        const bool ours = !in.program.listening_ports.empty() && in.program.peers != exposure::loopback;
        return found(
            ours ? severity::warning : severity::note, {key::tcp_migrate_req},
            compose("Several sockets listen on port{} {} (SO_REUSEPORT), each with a queue of its own, and "
                    "tcp_migrate_req is 0: what waits in a queue is reset when its listener is closed",
                    {ports.size() == 1 ? "" : "s", names}),
            "At each restart of one of the listening processes, clients that it has not accepted get ECONNRESET, "
            "although others listen",
            "Hand the one listening socket on to the new process (SCM_RIGHTS, or a descriptor that it inherits); or, "
            "if "
            "all sockets on the port serve the same with the same options, " +
                set_key(in.host, key::tcp_migrate_req, "1"),
            "Linux net/ipv4/inet_connection_sock.c: inet_csk_listen_stop; Documentation/networking/ip-sysctl.rst: "
            "tcp_migrate_req; measured on Linux 6.18: 94 of 200 queued connections were answered, with 1 all of them");
    }};

} // namespace closeside::host::detail::rules

#endif
