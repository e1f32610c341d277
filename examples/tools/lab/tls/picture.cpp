// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "message.hpp"

#include <cstddef>
#include <string>

namespace lab::tls {

namespace {

using svg::tone;

constexpr double names = 136, cell_width = 94, cell_height = 58, top = 78, line = 15;

/// Peers that do not want the whole reply say nothing of what is lost.
tone tone_of(const result& r) {
    if (!wants_the_reply(r.what.peer)) return tone::muted;
    if (!is_whole(r)) return tone::bad;
    return r.got.end == end_seen::close_notify || r.got.end == end_seen::not_looked_for ? tone::good : tone::second;
}

/// "whole", "12 %, 1.5 s"
std::string delivered(const result& r) {
    std::string text = is_whole(r) ? "whole" : std::to_string(100 * r.got.received / reply_size) + " %";
    if (seconds(r) >= 0.15) text += ", " + svg::number(seconds(r)) + " s";
    return text;
}

/// Who is bound when it is over.
std::string left(const result& r) {
    if (r.at_server == tcp_state::time_wait) return "TIME-WAIT";
    if (r.at_client == tcp_state::time_wait) return "TW at client";
    return r.at_server == tcp_state::unknown ? "" : state_name(r.at_server);
}

void draw_cell(svg::panel& p, double x, double y, const result& r) {
    const tone colour = tone_of(r);
    p.dot(x + 4, y - 4, colour);
    p.text(x + 12, y, delivered(r), colour);
    if (r.got.end != end_seen::not_looked_for) p.text(x + 12, y + line, to_string(r.got.end));
    p.text(x + 12, y + 2 * line, left(r), tone::muted);
}

} // namespace

void draw_picture(report& r, const results& all, protocol shown) {
    svg::panel p;
    p.width = names + cell_width * static_cast<double>(all_peers.size());
    p.height = top + cell_height * static_cast<double>(all_servers.size());
    p.heading(0, 14, std::string("How a reply over ") + to_string(shown) + " ends, by server and peer");
    p.text(0, 32,
           "How much of the reply came, and how long the close took where it waited. What the peer saw of the end.",
           tone::muted);
    p.text(0, 32 + line, "TIME-WAIT, at the server or at the client (TW), or what else is left at the server.",
           tone::muted);
    for (std::size_t column = 0; column < all_peers.size(); ++column)
        p.text(names + cell_width * static_cast<double>(column), top - 8, to_string(all_peers[column]));
    for (std::size_t row = 0; row < all_servers.size(); ++row) {
        const double y = top + cell_height * static_cast<double>(row);
        p.line(0, y, p.width, y, tone::muted);
        p.text(0, y + line, to_string(all_servers[row]));
        for (std::size_t column = 0; column < all_peers.size(); ++column)
            for (const result& one : all)
                if (one.what == variant{all_servers[row], all_peers[column], shown})
                    draw_cell(p, names + cell_width * static_cast<double>(column), y + line, one);
    }
    r.picture = std::move(p);
    r.picture_title = "How TLS connections end, by what ends them and what the peer does";
    r.picture_description =
        "A table: servers down, peers across. Under graceful and peer first every peer that reads gets the whole reply "
        "and close_notify, also while it sends, and under peer first TIME-WAIT is at the client. An asio::ssl::stream "
        "that is destroyed sends no close_notify and loses a part of the reply to a peer that sends on; async_shutdown "
        "and a close may lose some, too, and wait for a silent peer as long as the program's own timer says.";
}

} // namespace lab::tls
