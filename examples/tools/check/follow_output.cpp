// SPDX-License-Identifier: BSL-1.0
#include "follow_output.hpp"

#include "fill.hpp"
#include "metric.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <ostream>
#include <string_view>
#include <tuple>
#include <vector>

#include <time.h>

namespace check::follow {

namespace {

using json = nlohmann::ordered_json;

constexpr std::int64_t second = 1'000'000'000;

std::string time_of_day(std::int64_t nanoseconds) {
    const ::time_t seconds = nanoseconds / second;
    ::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<int>(nanoseconds % second / 1'000'000));
    return text.data();
}

const char* colour_of(ender e) {
    switch (e) {
    case ender::reset_by_us: return "\x1b[31m";
    case ender::reset_by_peer: return "\x1b[35m";
    case ender::failed: return "\x1b[33m";
    case ender::fin:
    case ender::unknown: break;
    }
    return "";
}

std::string seconds_text(std::chrono::duration<double> time) {
    const auto tenths = static_cast<std::int64_t>(time.count() * 10 + 0.5);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

/// A rate in three digits or fewer behind the point: `12.5`.
std::string rate_text(std::uint64_t n, std::chrono::duration<double> since) {
    if (since.count() <= 0) return "-";
    const auto tenths = static_cast<std::int64_t>(static_cast<double>(n) / since.count() * 10 + 0.5);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string service_text(const service& s) {
    if (s.port == 0) return "others";
    return (s.here ? ":" : "to :") + std::to_string(s.port);
}

std::string cut(std::string text, std::size_t width) {
    if (width != 0 && text.size() > width) text.resize(width);
    return text;
}

/// Where nobody reads along, an ending is one line, for grep.
std::size_t width_of(const terminal& on) { return on.interactive ? on.width : 0; }

/// One line in a file or a pipe, as many as it takes on a terminal.
void print_filled(std::ostream& out, std::string_view first, const std::string& text, const terminal& on) {
    std::string lines;
    const std::size_t width = width_of(on);
    fill(lines, first, first.size(), text, width != 0 ? width : text.size() + first.size());
    out << lines;
}

} // namespace

std::string rfc3339(std::int64_t nanoseconds) {
    const ::time_t seconds = nanoseconds / second;
    ::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 96> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<int>(nanoseconds % second));
    return text.data();
}

void print_text(std::ostream& out, const ending& e, const terminal& on) {
    static constexpr std::size_t column = 21; // 255.255.255.255:65535
    const auto padded = [](std::string text) {
        text.resize(text.size() < column ? column : text.size(), ' ');
        return text + "  ";
    };
    const std::string head =
        time_of_day(e.time) + "  " + padded(to_string(e.seen.ends.local)) + padded(to_string(e.seen.ends.peer));
    const std::string reason = e.reason();
    std::string states;
    if (e.seen.traced)
        for (const tcp_state s : e.seen.states) states += std::string(states.empty() ? "" : " > ") + to_string(s);
    // What comes of a TIME-WAIT is not waited for.
    if (e.seen.traced && e.seen.left != leftover::time_wait) states += states.empty() ? "CLOSED" : " > CLOSED";
    const std::string tail = states + (states.empty() ? "[" : "  [") + std::string(facts(e.why).topic) + "]";

    const char* const colour = on.colour ? colour_of(e.by()) : "";
    const char* const plain = *colour ? "\x1b[0m" : "";
    if (const std::size_t width = width_of(on); width == 0 || head.size() + reason.size() + 2 + tail.size() <= width) {
        out << head << colour << reason << plain << "  " << tail << "\n";
        return;
    }
    std::string lines;
    fill(lines, std::string("    ") + colour, 4, reason + plain, on.width);
    fill(lines, "    ", 4, tail, on.width);
    out << head << "\n" << lines;
}

void print_json(std::ostream& out, const ending& e) {
    json states = json::array();
    for (const tcp_state s : e.seen.states) states.push_back(to_string(s));
    // The contract has the kernel's word for the last state; it is not one of a connection.
    if (e.seen.traced && e.seen.left != leftover::time_wait) states.push_back("CLOSE");
    const char* const fin = to_string(e.fin);
    const std::string_view kernel = e.seen.kernel_reason;
    const json document{{"time", rfc3339(e.time)},
                        {"local", to_string(e.seen.ends.local)},
                        {"peer", to_string(e.seen.ends.peer)},
                        {"ended_by", to_string(e.by())},
                        {"reason", e.reason()},
                        {"first_fin", fin ? json(fin) : json(nullptr)},
                        {"states", std::move(states)},
                        {"explain", facts(e.why).topic},
                        {"cause", facts(e.why).name},
                        {"kernel_reason", kernel.empty() ? json(nullptr) : json(kernel)}};
    out << document.dump() << "\n";
}

void print_losses(std::ostream& out, const summary& s, const terminal& on) {
    const auto say = [&](std::uint64_t n, const char* one, const char* many, const char* what) {
        if (n != 0) print_filled(out, "note: ", std::to_string(n) + " " + (n == 1 ? one : many) + " " + what, on);
    };
    say(s.lost.trace_records, "record", "records",
        "of the kernel's trace came faster than they could be read: endings are missing or told in part");
    say(s.lost.overruns, "time", "times", "the kernel had no room for a message about sockets: endings are missing");
    say(s.lost.forgotten, "history", "histories",
        "had to be forgotten for want of room: endings are missing or told in part, if they are of this network "
        "namespace");
    say(s.lost.nameless, "socket", "sockets",
        "without a peer: listeners, sockets never connected, and aborted connections, which cannot be told apart here");
    say(s.lost.lingering, "connection", "connections",
        "that this host closed first and the peer has yet to: in FIN-WAIT-2 still");
    say(s.lost.held, "connection", "connections",
        "ended while the program holds the descriptor: not told, since of which network namespace shows when it "
        "closes");
}

void print_summary(std::ostream& out, const summary& s, const terminal& on) {
    const tally& t = s.counts;
    const auto counted = [&](ender by) { return std::to_string(t.by(by)); };
    std::string text = std::to_string(t.all()) + (t.all() == 1 ? " connection" : " connections") + " ended in " +
                       seconds_text(s.elapsed);
    if (t.all() != 0)
        text += ": " + counted(ender::fin) + " by FIN, " + counted(ender::reset_by_us) + " reset by this host, " +
                counted(ender::reset_by_peer) + " reset by the peer, " + counted(ender::failed) + " failed, " +
                counted(ender::unknown) + " unknown";
    print_filled(out, "", text, on);
    print_losses(out, s, on);
}

void print_prometheus(std::ostream& out, const summary& s) {
    metric endings(out, "closeside_follow_endings_total",
                   "Connections that ended since the follower was started, by service, who ended them and why.",
                   "counter");
    for (const auto& [k, n] : s.counts.counts()) {
        const char* const fin = to_string(k.fin);
        endings.sample({{"port", k.of.port == 0 ? "other" : std::to_string(k.of.port)},
                        {"service", k.of.here ? "local" : "remote"},
                        {"ended_by", to_string(facts(k.why).by)},
                        {"first_fin", fin ? fin : "none"},
                        {"cause", facts(k.why).name}},
                       n);
    }
    metric lost(out, "closeside_follow_lost_total",
                "What was dropped under load: each is at least one ending that is missing or told in part.", "counter");
    lost.sample({{"what", "trace_records"}}, s.lost.trace_records);
    lost.sample({{"what", "messages"}}, s.lost.overruns);
    lost.sample({{"what", "histories"}}, s.lost.forgotten);
    metric(out, "closeside_follow_traced", "Whether who ended a connection, and why, could be told.")
        .sample({}, s.traced ? 1 : 0);
    metric(out, "closeside_follow_fin_wait2_orphans",
           "Connections that this host closed first and the peer has yet to.")
        .sample({}, s.lost.lingering);
    metric(out, "closeside_follow_seconds", "For how long endings have been followed.").sample({}, s.elapsed.count());
}

void print_top(std::ostream& out, const summary& s, const tally& before, std::chrono::duration<double> since,
               const terminal& on, std::size_t rows) {
    struct row {
        tally::key of;
        std::uint64_t all, fresh;
    };
    std::vector<row> sorted;
    std::uint64_t fresh = 0;
    for (const auto& [k, n] : s.counts.counts()) {
        const auto earlier = before.counts().find(k);
        const std::uint64_t was = earlier == before.counts().end() ? 0 : earlier->second;
        sorted.push_back({k, n, n - was});
        fresh += n - was;
    }
    std::ranges::sort(sorted, [](const row& a, const row& b) {
        return std::tie(b.fresh, b.all, a.of) < std::tie(a.fresh, a.all, b.of);
    });
    out << s.counts.all() << (s.counts.all() == 1 ? " connection" : " connections") << " ended in "
        << seconds_text(s.elapsed) << ", " << rate_text(fresh, since) << " a second of late\n\n";
    out << "     ALL   PER S  SERVICE    EXPLAIN         WHY\n";
    std::size_t shown = 0;
    for (const row& r : sorted) {
        if (rows != 0 && shown++ == rows) {
            out << "... " << sorted.size() - rows << " more rows\n";
            break;
        }
        const cause_facts& f = facts(r.of.why);
        std::array<char, 96> columns{};
        std::snprintf(columns.data(), columns.size(), "%8llu %7s  %-9s  %-14s  ",
                      static_cast<unsigned long long>(r.all), rate_text(r.fresh, since).c_str(),
                      service_text(r.of.of).c_str(), std::string(f.topic).c_str());
        std::string line = columns.data() + std::string(f.words);
        out << cut(std::move(line), width_of(on)) << "\n";
    }
    out << "\n";
    print_losses(out, s, on);
}

} // namespace check::follow
