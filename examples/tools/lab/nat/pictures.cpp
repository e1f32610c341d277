// SPDX-License-Identifier: BSL-1.0
#include "pictures.hpp"

#include "flows.hpp"

#include "../support/chart.hpp"
#include "../support/sequence_diagram.hpp"

#include <algorithm>
#include <cstdio>

namespace lab::nat {

namespace {

using observation::segment;
using std::chrono::system_clock;
using svg::tone;

constexpr std::size_t most_rows = 8; // of one attempt: it goes on like that

/// The story of one port: a connection, and the next one that the NAT gives the port to.
struct succession {
    flow before;
    flow after;
};

std::optional<succession> find(const outcome& found, bool (*wanted)(const flow&)) {
    const std::vector<flow> flows = flows_of(found.segments);
    for (const flow& later : flows) {
        if (!wanted(later)) continue;
        const auto earlier =
            std::find_if(flows.begin(), flows.end(), [&](const flow& f) { return f.port == later.port; });
        if (&*earlier != &later && earlier->answered()) return succession{*earlier, later};
    }
    return std::nullopt;
}

class story {
public:
    story(std::string title, const succession& told) : told_(told), server_(observation::ipv4(server_address)) {
        const segment& syn = told.before.segments.front();
        origin_ = first_fin()->when;
        diagram_ = {.title = std::move(title),
                    .left = "server " + to_string(syn.to),
                    .right = "NAT " + to_string(syn.from),
                    .rows = {}};
    }

    sequence_row& add(const segment& s) { return diagram_.rows.emplace_back(row_of(s, server_, origin_)); }

    void state(row_kind where, std::string text, std::string remark, tone t) {
        diagram_.rows.push_back({where, std::nullopt, std::move(text), std::move(remark), t});
    }

    void pause(std::string text) {
        diagram_.rows.push_back({row_kind::pause, std::nullopt, std::move(text), {}, tone::muted});
    }

    /// How the connection before ended, from its first FIN.
    void tell_the_end() {
        for (auto s = first_fin(); s != told_.before.segments.end(); ++s) {
            sequence_row& row = add(*s);
            if (s == first_fin()) row.remark = s->outgoing ? "the server closes first" : "the client closes first";
        }
    }

    svg::panel drawn() const { return draw(diagram_); }

private:
    std::vector<segment>::const_iterator first_fin() const {
        return std::find_if(told_.before.segments.begin(), told_.before.segments.end(),
                            [](const segment& s) { return s.fin; });
    }

    const succession& told_;
    std::uint32_t server_;
    system_clock::time_point origin_;
    sequence_diagram diagram_;
};

std::string seconds(std::chrono::milliseconds t) {
    char text[32];
    std::snprintf(text, sizeof text, "%g s", std::chrono::duration<double>(t).count());
    return text;
}

std::string remark_on_first(const succession& told) {
    const std::optional<std::uint32_t> distance = timestamp_behind(told.before, told.after);
    return distance ? "timestamp older by " + std::to_string(*distance) : "sequence number not newer";
}

std::string remark_on(const segment& s, bool answered) {
    if (s.rst) return "ignored: tcp_rfc1337 = 1";
    if (s.outgoing) return "challenge ACK: still in TIME-WAIT";
    return answered ? "again" : "again; one answer in 500 ms is the limit";
}

} // namespace

std::optional<svg::panel> lock_out(const outcome& server_first, std::chrono::milliseconds connect_limit,
                                   const std::string& next) {
    const auto told = find(server_first, [](const flow& f) { return f.challenged() && !f.answered(); });
    if (!told) return std::nullopt;
    story s("The server closes first, tcp_rfc1337 = 1: locked out", *told);
    s.tell_the_end();
    s.state(row_kind::left_state, "TIME-WAIT, 60 s", {}, tone::bad);
    s.pause(next);
    const std::vector<segment>& segments = told->after.segments;
    for (std::size_t i = 0; i < std::min(segments.size(), most_rows); ++i) {
        sequence_row& row = s.add(segments[i]);
        const bool answered = i + 1 < segments.size() && segments[i + 1].outgoing;
        row.remark = i == 0 ? remark_on_first(*told) : remark_on(segments[i], answered);
    }
    if (segments.size() > most_rows)
        s.pause("and so on: " + std::to_string(segments.size() - most_rows) + " more segments");
    s.state(row_kind::right_state, "ETIMEDOUT", "after " + seconds(connect_limit) + " the client gives up", tone::bad);
    return s.drawn();
}

std::optional<svg::panel> cured(const outcome& peer_first) {
    const auto told = find(peer_first, [](const flow& f) { return f.answered() && !f.challenged(); });
    if (!told) return std::nullopt;
    story s("policies::peer_first, tcp_rfc1337 = 1: nothing in the way", *told);
    s.tell_the_end();
    s.state(row_kind::right_state, "TIME-WAIT at the client", "the server keeps nothing", tone::good);
    s.pause("the other client comes from the same port");
    for (const segment& one : told->after.segments) {
        sequence_row& row = s.add(one);
        if (one.syn && !one.outgoing && timestamp_behind(told->before, told->after))
            row.remark = "timestamp older, and nobody minds";
        if (one.outgoing || !one.ack) continue;
        row.remark = "connected";
        row.tone = tone::good;
        break;
    }
    return s.drawn();
}

svg::panel latencies(const outcome& default_kernel, const outcome& locked_out, const outcome& peer_first,
                     std::chrono::milliseconds connect_limit) {
    const double limit = static_cast<double>(connect_limit.count());
    chart c{.title = "How many clients are connected after a time, when the NAT gives them used ports",
            .x = {.label = "time since connect(2), ms; given up after " + seconds(connect_limit),
                  .logarithmic = true,
                  .low = 0.1,
                  .high = limit},
            .y = {.label = "share of clients, %", .low = 0, .high = 100},
            .lines = {}};
    const auto add = [&](const char* name, tone t, const outcome& found) {
        std::vector<double> ms;
        for (const attempt& a : found.second)
            if (a.connected) ms.push_back(static_cast<double>(a.connected->count()) / 1000);
        auto points = share_up_to(ms, found.second.size());
        for (auto& point : points) point.second *= 100;
        if (!points.empty()) points.emplace_back(limit, points.back().second);
        c.lines.push_back({name, t, drawn_as::steps, std::move(points)});
    };
    add("server first, rfc1337 = 1", tone::bad, locked_out);
    add("server first, rfc1337 = 0", tone::first, default_kernel);
    add("peer_first, rfc1337 = 1", tone::good, peer_first);
    return draw(c);
}

} // namespace lab::nat
