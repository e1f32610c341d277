// SPDX-License-Identifier: BSL-1.0
#include "../model/explorer.hpp"
#include "../model/mutants.hpp"
#include "../model/scenarios.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

// An exhaustive model check of the machine that ships, with the system calls that ship: both run against two modelled
// TCP endpoints, a network that delays, reorders, loses and repeats, and the programs at both ends. Every interleaving
// is visited, down to what arrives between two system calls.

using namespace model;
using closeside::detail::close_machine;

namespace {

struct sum {
    std::size_t states = 0;
    std::size_t transitions = 0;
    std::array<std::uint64_t, exceptions> excused{};

    void add(const exploration& e) {
        states += e.states;
        transitions += e.transitions;
        for (std::size_t i = 0; i < exceptions; ++i) excused[i] += e.excused[i];
    }
    std::string text() const {
        return std::to_string(states) + " states, " + std::to_string(transitions) + " transitions";
    }
};

using names = std::initializer_list<std::string_view>;

bool contains(names wanted, std::string_view name) {
    return wanted.size() == 0 || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

/// Each of the policies against each of the peers; no names stand for all.
template <class Policies, class Change>
sum explore(const Policies& policies, names wanted_policies, names wanted_peers, Change&& change) {
    sum total;
    for (const named_policy& p : policies) {
        if (!contains(wanted_policies, p.name)) continue;
        sum of_policy;
        for (const peer_script& peer : peers) {
            if (!contains(wanted_peers, peer.name)) continue;
            setting s{p.name, p.value, peer, p.tick};
            change(s);
            const exploration found = explorer<close_machine>(s).run();
            for (const auto& counterexample : found.broken) FAIL_CHECK(counterexample.second);
            CHECK(found.ends > 0);
            of_policy.add(found);
            total.add(found);
        }
        MESSAGE(std::string(p.name) << ": " << of_policy.text());
    }
    MESSAGE("in total: " << total.text());
    for (std::size_t i = 0; i < exceptions; ++i)
        if (total.excused[i] != 0)
            MESSAGE("excused " << total.excused[i] << " times: " << std::string(exception_reasons[i]));
    return total;
}

/// Peers that close, shut down or reset when they like have the most interleavings, so they send nothing here.
void lean(setting& s) {
    const bool on_eof = s.peer.closes == peer_closes::on_eof || s.peer.closes == peer_closes::never;
    if (!on_eof || s.peer.half_closes || s.peer.resets_from_start) s.peer.chunks = 0;
    if (s.peer.chunk_bytes > 2) s.peer.chunks = 1;
}

template <class Mutant>
void catches(property p, const closeside::close_policy& policy, std::string_view peer) {
    const auto script = std::find_if(peers.begin(), peers.end(), [&](const auto& s) { return s.name == peer; });
    REQUIRE(script != peers.end());
    const setting s{"a broken machine", policy, *script, 1000};
    CHECK(explorer<mutants::sound>(s).run().broken.empty());
    const exploration found = explorer<Mutant>(s).run();
    CHECK_MESSAGE(found.broken.count(p) == 1, std::string(property_names[static_cast<std::size_t>(p)]));
}

} // namespace

TEST_CASE("every preset keeps its word against every peer, in every interleaving") {
    CHECK(explore(presets, {}, {}, [](setting&) {}).states > 2'000'000);
}

TEST_CASE("every other policy keeps its word against every peer, in every interleaving") {
    CHECK(explore(further_policies, {}, {}, lean).states > 6'000'000);
}

TEST_CASE("a close that is cancelled at any of its waits ends there") {
    const auto cancelled = [](setting& s) {
        s.cancels = true;
        lean(s);
        if (s.peer.chunks > 0) --s.peer.chunks;
    };
    const names who{"closes on EOF", "half-closes first", "trickles and never closes", "is silent"};
    CHECK(explore(presets, {}, who, cancelled).states > 120'000);
    CHECK(explore(further_policies, {}, who, cancelled).states > 1'300'000);
}

TEST_CASE("lost and repeated segments change nothing but the time it takes") {
    const auto bad_network = [](setting& s) {
        s.losses = 1;
        s.duplicates = 1;
        s.peer.chunks = 0;
    };
    CHECK(
        explore(presets, {}, {"closes on EOF", "closes when it has the reply", "half-closes, then resets"}, bad_network)
            .states > 2'500'000);
    const auto data_lost = [](setting& s) { s.losses = 1; };
    CHECK(explore(presets, {}, {"closes on EOF"}, data_lost).states > 100'000);
}

TEST_CASE("a longer reply and a slow thread") {
    const auto longer = [](setting& s) { s.reply = 2; };
    CHECK(explore(presets, {}, {"closes on EOF", "closes when it has the reply"}, longer).states > 400'000);
    const auto slow = [](setting& s) {
        s.slow_ticks = 1;
        if (s.peer.closes == peer_closes::never) s.peer.chunks = 1;
    };
    CHECK(explore(presets, {"graceful", "peer_first"}, {"keeps sending"}, slow).states > 500'000);
    CHECK(explore(further_policies, {}, {"trickles and never closes"}, slow).states > 400'000);
}

TEST_CASE("a program that has read the reset before it closes") {
    const auto reads = [](setting& s) {
        s.program_reads = true;
        s.peer.chunks = 0;
    };
    CHECK(explore(presets, {}, {"resets at once", "half-closes, then resets"}, reads).states > 150'000);
    CHECK(explore(further_policies, {}, {"resets at once"}, reads).states > 75'000);
}

TEST_CASE("input beyond the limit, at a peer that closes at any moment") {
    const auto more = [](setting& s) { s.peer.chunks = 2; };
    CHECK(explore(further_policies, {"local, three bytes of draining"}, {"closes at any moment"}, more).states >
          2'000'000);
}

TEST_CASE("a broken machine is caught") {
    const closeside::close_policy local{.drain_time = closeside::milliseconds{1000}};
    const closeside::close_policy tiny{.drain_time = closeside::milliseconds{1000}, .drain_bytes = 1};
    const closeside::close_policy aborts{.drain_time = closeside::milliseconds{1000},
                                         .on_limit = closeside::limit_action::abort};
    const closeside::close_policy peer_first{.closes_first = closeside::side::peer,
                                             .patience = closeside::milliseconds{1000}};

    SUBCASE("it stops draining after one read") {
        catches<mutants::stops_after_one_read>(property::reply_kept, local, "keeps sending");
    }
    SUBCASE("it ignores a limit") { catches<mutants::ignores_limits>(property::limit, local, "is silent"); }
    SUBCASE("it forgets to half-close") { catches<mutants::forgets_the_fin>(property::ends, local, "closes on EOF"); }
    SUBCASE("it does not answer the peer's FIN with ours") {
        catches<mutants::ignores_end_of_file>(property::one_event_an_action, peer_first, "half-closes first");
    }
    SUBCASE("it goes on when cancelled") {
        const closeside::close_policy p = local;
        setting s{"a broken machine", p, peers[0], 1000};
        s.cancels = true;
        CHECK(explorer<mutants::ignores_cancellation>(s).run().broken.count(property::cancel) == 1);
    }
    SUBCASE("it lets a flood hold the thread") {
        catches<mutants::ignores_the_quota>(property::quota, local, "keeps sending");
    }
    SUBCASE("it discards more than drain_bytes") {
        catches<mutants::ignores_drain_bytes>(property::discard_limit, tiny, "closes on EOF");
    }
    SUBCASE("it acts after completion") {
        catches<mutants::acts_after_completion>(property::one_event_an_action, local, "is silent");
    }
    SUBCASE("it predicts TIME-WAIT on the wrong side") {
        catches<mutants::swaps_time_wait>(property::time_wait, local, "closes on EOF");
        catches<mutants::swaps_time_wait>(property::time_wait, peer_first, "closes when it has the reply");
    }
    SUBCASE("it predicts what is the kernel's to decide") {
        catches<mutants::leaves_nothing_to_the_kernel>(property::time_wait, local, "is silent");
    }
    SUBCASE("it takes the first FIN for ours") {
        catches<mutants::claims_the_first_fin>(property::first_fin, peer_first, "closes when it has the reply");
    }
    SUBCASE("it takes a reset for an orderly end") {
        catches<mutants::hides_resets>(property::ended_by, local, "resets at once");
    }
    SUBCASE("it does not tell what is unacknowledged") {
        catches<mutants::hides_what_is_unacknowledged>(property::unacknowledged, local, "is silent");
    }
    SUBCASE("it closes where it should abort") {
        catches<mutants::closes_instead_of_aborting>(property::ended_by, aborts, "is silent");
    }
}
