// SPDX-License-Identifier: BSL-1.0
#include "../model/explorer.hpp"
#include "../model/scenarios.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

// An exhaustive model check of the closing loop that ships, with its machine and its system calls: it runs against two
// modelled TCP endpoints, a network that delays, reorders, loses and repeats, and the programs at both ends. Every interleaving
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
template <class Policies, class Peers, class Change>
sum explore(const Policies& policies, const Peers& scripts, names wanted_policies, names wanted_peers,
            Change&& change) {
    sum total;
    for (const named_policy& p : policies) {
        if (!contains(wanted_policies, p.name)) continue;
        sum of_policy;
        for (const peer_script& peer : scripts) {
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

/// Takes every end of file for the peer's FIN, also that of a dead socket whose error the program has read.
struct believes_end_of_file : close_machine {
    using close_machine::close_machine;
    closeside::close_report report_unseen(bool) const {
        return closeside::detail::conclude_unseen(facts_, terms_, {.no_error = true, .quiet = quiet_});
    }
};

/// Peers that close, shut down or reset when they like have the most interleavings, so they send nothing here.
void lean(setting& s) {
    const bool on_eof = s.peer.closes == peer_closes::on_eof || s.peer.closes == peer_closes::never;
    if (!on_eof || s.peer.half_closes || s.peer.resets_from_start) s.peer.chunks = 0;
    s.peer.chunks = std::min<std::uint8_t>(s.peer.chunks, 1);
}

} // namespace

TEST_CASE("every preset keeps its word against every peer, in every interleaving") {
    CHECK(explore(presets, peers, {}, {}, [](setting&) {}).states > 7'500'000);
}

TEST_CASE("every other policy keeps its word against every peer, in every interleaving") {
    CHECK(explore(further_policies, peers, {}, {}, lean).states > 9'000'000);
}

TEST_CASE("a close that is cancelled or shed at any of its waits ends there, and loses nothing") {
    const auto cancelled = [](setting& s) {
        s.cancels = true;
        lean(s);
    };
    const names who{"closes on EOF", "half-closes first", "trickles and never closes", "is silent"};
    CHECK(explore(presets, peers, {}, who, cancelled).states > 600'000);
    CHECK(explore(further_policies, peers,
                  {"peer first, then drains", "local, abort on limit", "peer first, until acked"}, who, cancelled)
              .states > 1'000'000);
    const auto slowly = [](setting& s) {
        slow(s, 2);
        s.cancels = true;
        s.peer.chunks = 0;
    };
    CHECK(explore(patient_policies, patient_peers, {}, {}, slowly).states > 100'000);
}

TEST_CASE("lost and repeated segments change nothing but the time it takes") {
    const auto bad_network = [](setting& s) {
        s.losses = 1;
        s.duplicates = 1;
        s.peer.chunks = 0;
    };
    CHECK(explore(presets, peers, {"graceful", "peer_first_or_reset", "abortive", "system"},
                  {"closes on EOF", "half-closes, then resets"}, bad_network)
              .states > 4'000'000);
    CHECK(explore(presets, peers, {"peer_first"}, {"half-closes first"}, bad_network).states > 600'000);
    const auto data_lost = [](setting& s) { s.losses = 1; };
    CHECK(explore(presets, peers, {}, {"closes on EOF"}, data_lost).states > 500'000);
}

TEST_CASE("a longer reply and a slow thread") {
    const auto longer = [](setting& s) { s.reply = 2; };
    CHECK(explore(presets, peers, {}, {"closes on EOF"}, longer).states > 500'000);
    const auto slow_thread = [](setting& s) {
        s.slow_ticks = 1;
        s.peer.chunks = 1;
    };
    CHECK(explore(presets, peers, {"graceful", "peer_first"}, {"keeps sending"}, slow_thread).states > 350'000);
    CHECK(explore(further_policies, peers, {}, {"trickles and never closes"}, slow_thread).states > 1'000'000);
}

TEST_CASE("a peer that goes on reading, at whatever pace, gets every byte") {
    const auto slowly = [](setting& s) {
        slow(s, s.peer.chunks > 0 ? 2 : 3);
        s.peer.chunks = std::min<std::uint8_t>(s.peer.chunks, 1);
    };
    CHECK(explore(patient_policies, patient_peers, {}, {}, slowly).states > 2'000'000);
    const auto lossy = [](setting& s) {
        slow(s, 2);
        s.losses = 1;
        s.peer.chunks = 0;
    };
    CHECK(explore(patient_policies, patient_peers, {}, {"reads at its own pace"}, lossy).states > 100'000);
    const auto reordered = [](setting& s) {
        s.window = 1;
        if (s.peer.chunks == 0) s.reply = 2;
    };
    CHECK(
        explore(patient_policies, patient_peers, {}, {"reads at its own pace", "says goodbye", "asks again"}, reordered)
            .states > 500'000);
}

TEST_CASE("a thread that is late for its wake-ups ends no limit too early") {
    const auto late = [](setting& s) {
        slow(s, 1);
        s.late_ticks = 2;
    };
    CHECK(explore(patient_policies, patient_peers, {}, {"says goodbye", "asks again", "never ends"}, late).states >
          1'000'000);
}

TEST_CASE("last bytes go out before our FIN, or are said to be not sent") {
    const auto no_room = [](setting& s) {
        slow(s, 1);
        s.last = 2;
        s.buffer = 1;
        s.peer.chunks = 0;
    };
    CHECK(explore(patient_policies, patient_peers, {}, {"reads at its own pace", "never ends"}, no_room).states >
          200'000);
    const auto input_too = [](setting& s) {
        slow(s, 1);
        s.last = 1;
        s.buffer = 1;
    };
    CHECK(explore(patient_policies, patient_peers, {}, {"says goodbye", "asks again"}, input_too).states > 500'000);
    const auto some_room = [](setting& s) {
        s.last = 2;
        s.buffer = 2;
        s.in_order = true;
        lean(s);
        s.cancels = s.peer.chunks == 0;
    };
    CHECK(explore(presets, peers, {}, {"closes on EOF", "resets at once", "is silent"}, some_room).states > 500'000);
}

TEST_CASE("entries in the error queue wake a close once") {
    const auto noticed = [](setting& s) { s.notices = 2; };
    CHECK(explore(presets, peers, {}, {"closes on EOF", "is silent"}, noticed).states > 120'000);
}

TEST_CASE("a program that has read the reset before it closes") {
    const auto reads = [](setting& s) {
        s.program_reads = true;
        s.peer.chunks = 0;
    };
    CHECK(explore(presets, peers, {}, {"resets at once", "half-closes, then resets"}, reads).states > 500'000);
    CHECK(explore(further_policies, peers, {}, {"resets at once"}, reads).states > 100'000);
}

TEST_CASE("input beyond the limit, and behind a flood") {
    const auto more = [](setting& s) {
        s.peer.chunks = 2;
        s.reply = 0;
    };
    CHECK(explore(further_policies, peers, {"local, three bytes of draining", "peer first, three bytes of draining"},
                  {"closes at any moment"}, more)
              .states > 250'000);
    // What is less than a quota wakes nobody who waits for one.
    const auto flood = [](setting& s) { s.peer.chunk_bytes = 300 * 1024; };
    CHECK(explore(presets, peers, {"graceful", "peer_first"}, {"keeps sending"}, flood).states > 1'000'000);
}

TEST_CASE("of a close that nobody waits for nothing is said that is not so") {
    const auto dropped = [](setting& s) {
        s.unattended = true;
        lean(s);
    };
    CHECK(explore(presets, peers, {}, {}, dropped).states > 250'000);
    const auto dropped_and_cut = [&](setting& s) {
        dropped(s);
        s.cancels = true;
        s.peer.chunks = 0;
    };
    CHECK(explore(further_policies, peers, {}, {"closes on EOF", "half-closes first", "is silent", "resets at once"},
                  dropped_and_cut)
              .states > 100'000);
    const auto reads_before = [&](setting& s) {
        dropped(s);
        s.program_reads = true;
        s.peer.chunks = 0;
    };
    CHECK(explore(presets, peers, {}, {"resets at once", "half-closes, then resets"}, reads_before).states > 100'000);
    int noticed = 0;
    for (const peer_script& peer : peers) {
        setting s{presets[0].name, presets[0].value, peer, presets[0].tick};
        reads_before(s);
        noticed += explorer<believes_end_of_file>(s).run().broken.empty() ? 0 : 1;
    }
    CHECK(noticed > 0);
}
