// SPDX-License-Identifier: BSL-1.0
#include "states.hpp"

#include "fill.hpp"
#include "metric.hpp"
#include "output.hpp"

#include <closeside/detail/kernel/printable_text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

namespace check {

namespace {

namespace host = closeside::host;
using states_method = host::tcp_states::source;
using host::tcp_state;
using json = nlohmann::ordered_json;

const char* meaning(tcp_state s) {
    switch (s) {
    case tcp_state::listen: return "waits for connections";
    case tcp_state::syn_sent: return "we connect: our SYN is not answered yet";
    case tcp_state::syn_received: return "a peer connects: our SYN-ACK is not acknowledged yet";
    case tcp_state::established: return "open both ways";
    case tcp_state::fin_wait1: return "we closed first: our FIN is not sent or not acknowledged yet";
    case tcp_state::fin_wait2: return "we closed first: our FIN is acknowledged, the peer's has yet to come";
    case tcp_state::close_wait: return "the peer closed: our program has yet to; one that never does leaks descriptors";
    case tcp_state::closing: return "both closed at once: our FIN is not acknowledged yet";
    case tcp_state::last_ack: return "the peer closed, then we: our FIN is not acknowledged yet";
    case tcp_state::time_wait: return "we closed first: over, kept 60 s for segments that are late";
    case tcp_state::close: return "no connection any more; the kernel's table holds none of these";
    case tcp_state::new_syn_received:
    case tcp_state::unknown: break;
    }
    return "";
}

const char* source(states_method m) {
    switch (m) {
    case states_method::tcpdiag: return "sock_diag, in one walk of the kernel's table";
    case states_method::tcpdiag_sockstat:
        return "sock_diag, in one walk of the kernel's table, and sockstat for TIME-WAIT";
    case states_method::proc: return "/proc/thread-self/net/tcp and tcp6";
    case states_method::sockstat: return "/proc/thread-self/net/sockstat";
    case states_method::none: break;
    }
    return "nothing";
}

std::string milliseconds(std::chrono::microseconds time) {
    const auto tenths = (time.count() + 50) / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

constexpr std::size_t name_width = 14, count_width = 9, meaning_column = name_width + count_width + 2;

/// A state and its count, up to the column of its meaning.
std::string row(std::string name, const std::string& count) {
    name.resize(name_width, ' ');
    return name + std::string(count_width - std::min(count_width, count.size()), ' ') + count + "  ";
}

json or_null(const std::optional<std::uint64_t>& number) { return number ? json(*number) : json(nullptr); }

} // namespace

void print_states_text(std::ostream& out, const states_report& r, const terminal& on) {
    const host::tcp_states& s = r.counted;
    std::string text;
    const auto line = [&](std::string_view first, std::size_t indent, const std::string& rest) {
        fill(text, first, indent, closeside::detail::readable(rest), on.width);
    };
    const auto note = [&](const std::string& rest) { line(on.colour ? "\x1b[33mnote\x1b[0m: " : "note: ", 6, rest); };
    line("", 2,
         "TCP sockets of this network namespace" +
             (r.asked.port == 0 ? "" : " with local port " + std::to_string(r.asked.port)) + ", by " +
             source(s.method) + " (" + to_string(s.method) + "), " + milliseconds(s.elapsed));
    text += "\n";

    for (const tcp_state state : host::all_tcp_states) {
        const auto n = s.count(state);
        line(row(to_string(state), n ? std::to_string(*n) : "unknown"), meaning_column, meaning(state));
        if (state == tcp_state::fin_wait2 && s.fin_wait2_mini != 0)
            line(row("", std::to_string(s.fin_wait2_mini)), meaning_column,
                 "of these are orphans, kept as mini-sockets: sockstat's tw and `ss -s` count them as TIME-WAIT");
    }
    if (r.time_wait_quick) {
        text += "\n";
        line("", 2,
             "time_wait_quick " + std::to_string(*r.time_wait_quick) +
                 ": TIME-WAIT and orphans in FIN-WAIT-2 of the whole namespace, as sockstat has them at no cost");
    }
    if (!s.exact) note("not exact: " + s.why_not_better());
    if (s.exact && s.method == states_method::proc) note("the faster way was closed: " + s.why_not_better());
    if (r.shared_table == true)
        note("this namespace shares the host's connection table (net.ipv4.tcp_ehash_entries is negative): counting "
             "steps over every socket of the host");
    out << text;
}

void print_states_json(std::ostream& out, const states_report& r) {
    const host::tcp_states& s = r.counted;
    json states = json::object();
    for (const tcp_state state : host::all_tcp_states) states[to_string(state)] = or_null(s.count(state));
    const std::string why = s.why_not_better();
    const json document{
        {"states", std::move(states)},
        {"method", to_string(s.method)},
        {"exact", s.exact},
        {"time_wait_quick", or_null(r.time_wait_quick)},
        {"elapsed_us", s.elapsed.count()},
        {"fin_wait2_mini_sockets", s.count(tcp_state::fin_wait2) ? json(s.fin_wait2_mini) : json(nullptr)},
        {"port", r.asked.port == 0 ? json(nullptr) : json(r.asked.port)},
        {"stopped", s.stopped},
        {"interrupted", s.interrupted},
        {"malformed", s.malformed},
        {"why", why.empty() ? json(nullptr) : json(why)},
        {"shared_table", r.shared_table ? json(*r.shared_table) : json(nullptr)}};
    out << document.dump(2) << "\n";
}

void print_state_metrics(std::ostream& out, const host::tcp_states& s) {
    metric sockets(out, "closeside_tcp_sockets", "TCP sockets of the network namespace, IPv4 and IPv6, by state.");
    for (const tcp_state state : host::all_tcp_states) sockets.sample({{"state", to_string(state)}}, s.count(state));
    metric(out, "closeside_tcp_sockets_exact", "Whether closeside_tcp_sockets counts every socket.")
        .sample({{"method", to_string(s.method)}}, s.exact ? 1 : 0);
    metric(out, "closeside_tcp_sockets_count_seconds", "How long it took to count them.")
        .sample({}, static_cast<double>(s.elapsed.count()) / 1e6);
    if (!s.count(tcp_state::fin_wait2)) return;
    metric(out, "closeside_tcp_fin_wait2_orphans", "Mini-sockets in FIN-WAIT-2, which sockstat has in its tw.")
        .sample({}, s.fin_wait2_mini);
}

void print_states_prometheus(std::ostream& out, const states_report& r) {
    if (r.asked.port == 0) {
        print_state_metrics(out, r.counted);
    } else {
        // A metric of its own, so that a sum over either counts no socket twice.
        const std::string port = std::to_string(r.asked.port);
        metric sockets(out, "closeside_tcp_port_sockets", "TCP sockets with a local port, IPv4 and IPv6, by state.");
        for (const tcp_state state : host::all_tcp_states)
            sockets.sample({{"port", port}, {"state", to_string(state)}}, r.counted.count(state));
        metric(out, "closeside_tcp_port_sockets_exact", "Whether closeside_tcp_port_sockets counts every socket.")
            .sample({{"port", port}, {"method", to_string(r.counted.method)}}, r.counted.exact ? 1 : 0);
    }
    metric(out, "closeside_time_wait_quick",
           "TIME-WAIT and orphans in FIN-WAIT-2 of the network namespace, by sockstat.")
        .sample({}, r.time_wait_quick);
}

} // namespace check
