// SPDX-License-Identifier: BSL-1.0
// What a server can serve whose connections end by our presets, next to servers that differ in nothing but the close.
#include "contender.hpp"
#include "nginx.hpp"
#include "round.hpp"

#include "benchmark/support/comparison.hpp"
#include "benchmark/support/program.hpp"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace bs = benchmark_support;
using namespace benchmark_serve;

/// How one contender did, round by round.
struct record {
    contender of;
    std::vector<measurement> rounds;

    bs::series series(double measurement::*figure) const {
        bs::series s{of.name, {}};
        for (const measurement& m : rounds) s.rounds.push_back(m.*figure);
        return s;
    }
};

enum class kind { ours, plain, lingering, epoll, nginx };

struct entrant {
    kind is;
    record measured;
};

std::vector<entrant> all_entrants() {
    std::vector<entrant> all;
    for (const contender& c : our_presets()) all.push_back({kind::ours, {c, {}}});
    const auto always = nginx(lingering_close::always);
    const auto on = always ? nginx(lingering_close::on) : std::nullopt;
    for (const client c : {client::closes_at_end, client::closes_when_complete}) {
        all.push_back({kind::plain, {plain_close(c), {}}});
        all.push_back({kind::lingering, {lingering_close_by_hand(c), {}}});
        all.push_back({kind::epoll, {lingering_close_on_epoll(c), {}}});
        if (always) all.push_back({kind::nginx, {{"nginx, lingering_close always", *always, c}, {}}});
        if (on) all.push_back({kind::nginx, {{"nginx, lingering_close on (its default)", *on, c}, {}}});
    }
    return all;
}

/// A number that ours are compared by, and how they should stand to a plain close and to those that linger.
struct figure {
    double measurement::*value;
    const char* unit;
    bs::aim to_plain;
    bs::aim to_lingering;
    bs::aim to_epoll; ///< of graceful, dropped: it does what that does

    bs::aim wanted(const contender& ours, kind peer) const {
        if (peer == kind::plain) return to_plain;
        if (peer == kind::lingering) return to_lingering;
        return peer == kind::epoll && ours.name == graceful_dropped ? to_epoll : bs::aim{};
    }
};

const std::vector<figure> figures{
    {&measurement::connections_per_second, "connections/s", bs::ratio_at_least(0.97), bs::ratio_at_least(1), {}},
    {&measurement::microseconds, "µs of the server's processor time", {}, bs::ratio_at_most(1), bs::ratio_at_most(1.2)},
    {&measurement::microseconds_of_both, "µs of both ends' processor time", {}, {}, {}}};

std::string what(client c) {
    return std::string("accept, request, 1 KiB, close; the client closes ") +
           (c == client::closes_at_end ? "at the end" : "when the reply is complete");
}

std::vector<bs::comparison> rows_of(const figure& f, const std::vector<entrant>& all) {
    std::vector<bs::comparison> rows;
    for (const entrant& e : all)
        for (const entrant& peer : all) {
            const record &ours = e.measured, &theirs = peer.measured;
            if (e.is == kind::ours && peer.is != kind::ours && ours.of.its_client == theirs.of.its_client)
                rows.push_back(bs::compare(what(ours.of.its_client), f.unit, ours.series(f.value),
                                           theirs.series(f.value), f.wanted(ours.of, peer.is)));
        }
    return rows;
}

/// Below 100 % it would be the client that is measured.
bs::comparison least_busy(const std::vector<entrant>& all) {
    const auto least = std::ranges::min_element(
        all, {}, [](const entrant& e) { return bs::median(e.measured.series(&measurement::busy).rounds); });
    return bs::alone("the server that had the least to do", "% of the time running or ready to run",
                     least->measured.series(&measurement::busy));
}

std::vector<bs::comparison> measure(const bs::options& o) {
    if (!can_measure()) {
        std::cerr << "SKIPPED: neither root nor user namespaces give the right to a network namespace\n";
        return {};
    }
    std::vector<entrant> all = all_entrants();
    std::vector<contender> contenders;
    for (const entrant& e : all) contenders.push_back(e.measured.of);
    for (unsigned round = 0; round != o.rounds; ++round) {
        const auto results = measure_round(contenders, o.smoke ? 1 : 8);
        for (std::size_t i = 0; i != all.size(); ++i) all[i].measured.rounds.push_back(results[i]);
    }

    std::vector<bs::comparison> rows;
    for (const figure& f : figures)
        for (bs::comparison& row : rows_of(f, all)) rows.push_back(std::move(row));
    rows.push_back(least_busy(all));
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return bs::run(
        argc, argv,
        {"serve",
         "Serves requests over connections that end by our presets, by hand on Asio or epoll, or as nginx ends them.",
         11, measure});
}
