// SPDX-License-Identifier: BSL-1.0
#include "pictures.hpp"
#include "result.hpp"
#include "variant.hpp"

#include "../labs.hpp"

#include <future>
#include <string>
#include <utility>
#include <vector>

namespace lab {

namespace {

using namespace std::chrono_literals;
using namespace nat;

std::vector<variant> all_variants() {
    std::vector<variant> all;
    for (const ending how : {ending::plain_asio, ending::graceful, ending::peer_first})
        for (const bool timestamps : {true, false})
            for (const bool rfc1337 : {false, true})
                all.push_back({.how = how, .rfc1337 = rfc1337, .timestamps = timestamps});
    for (const ending how : {ending::plain_asio, ending::graceful, ending::peer_first})
        all.push_back({.how = how, .resets_lost = true});
    for (std::size_t i = 0; i < all.size(); ++i) all[i].first_port = static_cast<std::uint16_t>(40000 + 100 * i);
    return all;
}

bool asks_check(const variant& v) { return v.how == ending::plain_asio && v.timestamps && !v.resets_lost; }

/// Every variant at the same time: they share no host, and most of the time is spent waiting.
results run_all(const settings& chosen, const dimensions& size) {
    std::vector<std::pair<variant, std::future<outcome>>> running;
    for (const variant& v : all_variants())
        running.emplace_back(v, std::async(std::launch::async, [&, v] {
                                 return nat::run(v, size, asks_check(v) ? chosen.check : std::string());
                             }));
    results all;
    for (auto& [what, found] : running) all.push_back(evaluate(what, found.get()));
    return all;
}

void draw_picture(report& r, const results& all, const dimensions& size) {
    const outcome& locked_out = pick(all, ending::plain_asio, true).found;
    const outcome& peer_first = pick(all, ending::peer_first, true).found;
    std::vector<svg::panel> panels;
    for (const auto& diagram : {lock_out(locked_out, size.connect_limit), cured(peer_first)})
        if (diagram) panels.push_back(*diagram);
    panels.push_back(latencies(pick(all, ending::plain_asio, false).found, locked_out, peer_first, size.connect_limit));
    r.picture = svg::stacked(panels);
    r.picture_title = "A second client comes from a port of the NAT that the server may hold in TIME-WAIT";
    r.picture_description =
        "Segments captured at the server. With a server that closes first and tcp_rfc1337 = 1, the second client's SYN "
        "is answered by an ACK, its RST is ignored, and it times out. Under peer_first the first client closes first, "
        "the server keeps nothing, and the second client is connected at once. Below, the share of clients that are "
        "connected after a time.";
}

} // namespace

report run_nat(const settings& chosen) {
    const dimensions size =
        chosen.quick ? dimensions{.ports = 12, .connect_limit = 2s} : dimensions{.ports = 20, .connect_limit = 4s};
    const results all = run_all(chosen, size);
    report r;
    r.setting = {
        "client a, client b - NAT - server. Each client connects from " + std::to_string(size.ports) +
            " ports; when the NAT has forgotten that, a second after the end,",
        "each connects from the ports that the other had. The server may remember them for 60 s. A connect may take " +
            std::to_string(size.connect_limit.count() / 1000) + " s."};
    r.tables.push_back(table_of(all));
    check_claims(r, all, 2 * size.ports);
    draw_picture(r, all, size);
    return r;
}

} // namespace lab
