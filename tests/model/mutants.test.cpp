// SPDX-License-Identifier: BSL-1.0
#include "../model/explorer.hpp"
#include "../model/scenarios.hpp"
#include "../model/time_mutants.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

// The model check of model.test.cpp notices when something is wrong: with each mutant of the machine that ships.

using namespace model;

namespace {

template <class Scripts>
setting setting_of(const Scripts& scripts, const closeside::close_policy& policy, std::string_view peer) {
    const auto script = std::find_if(scripts.begin(), scripts.end(), [&](const auto& s) { return s.name == peer; });
    REQUIRE(script != scripts.end());
    return {"a broken machine", policy, *script, 1000};
}

template <class Mutant>
void catches(property p, const setting& s) {
    CHECK(explorer<mutants::sound>(s).run().broken.empty());
    const exploration found = explorer<Mutant>(s).run();
    CHECK_MESSAGE(found.broken.count(p) == 1, std::string(property_names[static_cast<std::size_t>(p)]));
}

template <class Mutant>
void catches(property p, const closeside::close_policy& policy, std::string_view peer) {
    catches<Mutant>(p, setting_of(peers, policy, peer));
}

template <class Mutant, class Change>
void catches_slowly(property p, const closeside::close_policy& policy, std::string_view peer, Change&& change) {
    setting s = setting_of(patient_peers, policy, peer);
    slow(s, 1);
    change(s);
    catches<Mutant>(p, s);
}

template <class Mutant>
void catches_slowly(property p, const closeside::close_policy& policy, std::string_view peer) {
    catches_slowly<Mutant>(p, policy, peer, [](setting&) {});
}

} // namespace

TEST_CASE("a broken machine is caught") {
    using closeside::close_duration;
    const closeside::close_policy local{.drain_time = close_duration{1000}};
    const closeside::close_policy tiny{.drain_time = close_duration{1000}, .drain_bytes = 1};
    const closeside::close_policy aborts{.drain_time = close_duration{1000},
                                         .on_limit = closeside::limit_action::abort};
    const closeside::close_policy peer_first{
        .closes_first = closeside::side::peer, .patience = close_duration{1000}, .drain_time = close_duration{1000}};

    SUBCASE("it stops draining after one read") {
        catches<mutants::stops_after_one_read>(property::reply_kept, local, "keeps sending");
    }
    SUBCASE("it ignores a limit") { catches<mutants::ignores_limits>(property::limit, local, "is silent"); }
    SUBCASE("it forgets to half-close") { catches<mutants::forgets_the_fin>(property::ends, local, "closes on EOF"); }
    SUBCASE("it does not answer the peer's FIN with ours") {
        catches<mutants::ignores_end_of_file>(property::one_event_an_action, peer_first, "half-closes first");
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
    SUBCASE("it says unknown of what it can know") {
        catches<mutants::knows_nothing>(property::ended_by, local, "closes on EOF");
    }
}

TEST_CASE("a machine that is wrong about time is caught") {
    using closeside::close_duration;
    const closeside::close_policy local{.drain_time = close_duration{3000}, .drain_idle = close_duration{2000}};
    const closeside::close_policy peer_first{
        .closes_first = closeside::side::peer, .patience = close_duration{2000}, .drain_time = close_duration{1000}};
    const char* const reads = "reads at its own pace";

    SUBCASE("its time runs during the reply") {
        catches_slowly<mutants::ignores_progress>(property::limit, local, reads);
        catches_slowly<mutants::ignores_progress>(property::limit, peer_first, reads);
    }
    SUBCASE("drain_idle runs while something is unacknowledged") {
        catches_slowly<mutants::idles_too_early>(property::limit, local, reads);
    }
    SUBCASE("a silent peer never comes to the limit") {
        catches<mutants::never_ends>(property::limit, setting_of(peers, local, "is silent"));
        catches<mutants::never_ends>(property::limit, setting_of(peers, peer_first, "is silent"));
    }
    SUBCASE("it polls") { catches_slowly<mutants::polls>(property::limit, local, "never ends"); }
    SUBCASE("it lets go when patience is over") {
        catches_slowly<mutants::does_not_drain_after_patience>(property::reply_kept, peer_first, "asks again");
    }
    SUBCASE("it ignores input") { catches_slowly<mutants::ignores_input>(property::limit, peer_first, "asks again"); }
    SUBCASE("it takes what was there for a request") {
        catches_slowly<mutants::takes_old_input_for_a_request>(property::limit, peer_first, "asks again");
    }
}

TEST_CASE("a machine that is wrong about a cancellation or the last bytes is caught") {
    using closeside::close_duration;
    const closeside::close_policy local{.drain_time = close_duration{1000}};
    const auto cancelled = [](setting& s) { s.cancels = true; };
    const auto last = [](setting& s) {
        s.last = 2;
        s.buffer = 2;
    };

    SUBCASE("it goes on") {
        catches_slowly<mutants::ignores_cancellation>(property::cancel, local, "asks again", cancelled);
    }
    SUBCASE("it resets") {
        catches_slowly<mutants::resets_when_cancelled>(property::abort_only, local, "asks again", cancelled);
    }
    SUBCASE("it leaves input unread, which resets") {
        catches_slowly<mutants::leaves_input_when_cancelled>(property::abort_only, local, "asks again", cancelled);
    }
    SUBCASE("it sends behind our FIN") {
        catches_slowly<mutants::sends_behind_the_fin>(property::last_bytes, local, "asks again", last);
    }
    SUBCASE("it says that all was sent") {
        catches_slowly<mutants::truncates_in_silence>(property::last_bytes, local, "asks again", last);
    }
    SUBCASE("it does not wait for room") {
        catches_slowly<mutants::does_not_wait_for_room>(property::last_bytes, local, "asks again", last);
    }
}
