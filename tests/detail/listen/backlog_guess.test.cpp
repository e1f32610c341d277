// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/listen/backlog_guess.hpp>

#include <doctest/doctest.h>

using closeside::detail::backlog_guess;

namespace {

/// How many waits the guess is for before the next look.
unsigned waits(backlog_guess& guess) {
    unsigned n = 0;
    while (!guess.worth_a_look()) ++n;
    return n;
}

} // namespace

TEST_CASE("The first accept looks at once, and so does each one after a look that found something") {
    backlog_guess guess;
    for (int i = 0; i < 100; ++i) {
        REQUIRE(guess.worth_a_look());
        guess.looked(true);
    }
}

TEST_CASE("The more looks are in vain, the more waits come before the next, up to a limit") {
    backlog_guess guess;
    for (unsigned expected : {0u, 1u, 3u, 7u, 15u, 31u, 63u, 127u, 255u, 255u}) {
        CHECK(waits(guess) == expected);
        guess.looked(false);
    }
    static_assert(backlog_guess::most_waits == 255);
}

TEST_CASE("The end of a burst is no look in vain") {
    backlog_guess guess;
    for (int i = 0; i < 4; ++i) guess.looked(false);
    CHECK(waits(guess) == 15);
    guess.looked(true);
    guess.looked(false);
    CHECK(waits(guess) == 0);
    guess.looked(true);
    guess.looked(false);
    CHECK(waits(guess) == 0);
    guess.looked(false);
    CHECK(waits(guess) == 1);
}
