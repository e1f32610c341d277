// SPDX-License-Identifier: BSL-1.0
#include "pictures.hpp"

#include "condensed.hpp"

#include "../support/chart.hpp"
#include "../support/sequence_diagram.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>

namespace lab::loss {

namespace {

using svg::tone;

constexpr std::size_t most_rows = 13;

std::string label(const burst& b) {
    std::string text = b.first.rst ? "RST" : b.first.fin ? "FIN" : "";
    if (b.bytes > 0) text += (text.empty() ? "" : " + ") + std::to_string(b.bytes) + " bytes";
    if (b.segments > 1) text += ", " + std::to_string(b.segments) + " segments";
    return text;
}

std::string remark(const burst& b) {
    if (b.first.rst) return {};
    if (b.again) return "sent again, for want of an ACK";
    if (b.first.fin) return b.first.outgoing ? "end of the reply: half-close" : "the client has it all";
    return {};
}

/// The recorded connection for which `rating` is highest, if above 0.
struct chosen {
    receipt client;
    std::vector<burst> bursts;
};

template <class Rating>
std::optional<chosen> choose(const outcome& recorded, Rating rating) {
    std::map<std::uint16_t, std::vector<observation::segment>> by_port;
    for (const observation::segment& s : recorded.segments) by_port[s.outgoing ? s.to.port : s.from.port].push_back(s);
    std::optional<chosen> best;
    for (const receipt& one : recorded.receipts) {
        chosen candidate{one, condensed(by_port[one.port])};
        if (candidate.bursts.empty() || candidate.bursts.size() > most_rows || rating(candidate) <= 0) continue;
        if (!best || rating(candidate) > rating(*best)) best = std::move(candidate);
    }
    return best;
}

sequence_diagram diagram_of(std::string title, const chosen& c) {
    const observation::endpoint server{observation::ipv4(server_address), server_port};
    sequence_diagram d{.title = std::move(title),
                       .left = "server " + to_string(server),
                       .right = "client :" + std::to_string(c.client.port),
                       .rows = {}};
    for (const burst& b : c.bursts) {
        sequence_row row = row_of(b.first, server.address, c.bursts.front().first.when);
        row.text = label(b);
        row.remark = remark(b);
        d.rows.push_back(std::move(row));
    }
    d.rows.front().remark = "request, and more input behind it";
    return d;
}

std::string received(const receipt& one) {
    return std::to_string(one.received) + " of " + std::to_string(reply_size) + " bytes";
}

std::size_t count_again(const chosen& c) {
    return static_cast<std::size_t>(
        std::count_if(c.bursts.begin(), c.bursts.end(), [](const burst& b) { return b.again && b.first.outgoing; }));
}

} // namespace

std::optional<svg::panel> truncated(const outcome& plain_close) {
    const auto found = choose(plain_close, [](const chosen& c) {
        if (!c.client.reset || c.client.received == 0 || c.client.received == reply_size) return 0;
        return static_cast<int>(most_rows + 1 - c.bursts.size()); // the shortest
    });
    if (!found) return std::nullopt;
    sequence_diagram d = diagram_of("Plain close() with unread input: the reply is truncated", *found);
    const auto reset =
        std::find_if(d.rows.begin(), d.rows.end(), [](const auto& row) { return row.tone == tone::bad; });
    if (reset != d.rows.end()) reset->remark = "close(2) over unread input";
    d.rows.push_back({row_kind::right_state, std::nullopt, "ECONNRESET", received(found->client), tone::bad});
    return draw(d);
}

std::optional<svg::panel> complete(const outcome& graceful) {
    const auto found = choose(graceful, [](const chosen& c) {
        return c.client.intact && !c.client.reset ? static_cast<int>(count_again(c)) : 0;
    });
    if (!found) return std::nullopt;
    sequence_diagram d = diagram_of("policies::graceful: half-close, and drain until the client's FIN", *found);
    d.rows.push_back({row_kind::right_state, std::nullopt, "the reply is whole", received(found->client), tone::good});
    return draw(d);
}

svg::panel shares(const results& all) {
    unsigned percent = 0;
    for (const result& r : all)
        if (!r.what.slow) percent = r.what.percent;
    chart c{.title = "How much of its reply a client gets, at " + std::to_string(percent) + " % loss each way",
            .x = {.label = "KiB of the reply", .low = 0, .high = reply_size / 1024.0 + 2},
            .y = {.label = "share of clients with at most that, %", .low = 0, .high = 100},
            .lines = {}};
    const auto add = [&](std::string name, tone t, std::initializer_list<ending> of) {
        std::vector<double> kib;
        for (const result& r : all) {
            if (r.what.slow || r.what.percent != percent || std::find(of.begin(), of.end(), r.what.how) == of.end())
                continue;
            for (const receipt& one : r.found.receipts)
                if (one.connected) kib.push_back(static_cast<double>(one.received) / 1024);
        }
        auto points = share_up_to(kib);
        for (auto& point : points) point.second *= 100;
        c.lines.push_back({std::move(name), t, drawn_as::steps, std::move(points)});
    };
    add("plain close()", tone::bad, {ending::plain_close});
    add("one read, close()", tone::second, {ending::one_read});
    add("graceful, peer_first", tone::good, {ending::graceful, ending::peer_first});
    return draw(c);
}

} // namespace lab::loss
