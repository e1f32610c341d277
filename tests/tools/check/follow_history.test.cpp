// SPDX-License-Identifier: BSL-1.0
#include "check/follow_history.hpp"
#include "check/follow_lingering.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

using namespace check::follow;

namespace {

constexpr std::uint64_t ms = 1'000'000, second = 1000 * ms;

connection ends(std::uint16_t peer_port) {
    const std::array<std::uint8_t, 4> loopback{127, 0, 0, 1};
    return {*make_end_point(loopback, 80), *make_end_point(loopback, peer_port)};
}

trace_event state(std::uint64_t socket, std::uint16_t port, tcp_state before, tcp_state after, std::uint64_t time) {
    return {.kind = event_kind::state,
            .time = time,
            .socket = socket,
            .ends = ends(port),
            .before = before,
            .after = after};
}

trace_event destroyed(std::uint64_t socket, std::uint64_t cookie, std::uint64_t time) {
    return {.kind = event_kind::destroyed, .time = time, .socket = socket, .cookie = cookie};
}

history with_room_for(std::size_t most, leftover left = leftover::nothing) {
    return history(most, [left](const connection&) { return left; });
}

void end(history& h, std::uint64_t socket, std::uint16_t port, std::uint64_t cookie, std::uint64_t time) {
    h.on_event(state(socket, port, tcp_state::established, tcp_state::close, time));
    h.on_event(destroyed(socket, cookie, time));
}

/// What a look shows to be over.
std::vector<life> over(lingering& l, std::uint64_t now) {
    l.look(now);
    return l.take();
}

} // namespace

TEST_CASE(
    "of two connections of one name that end at once, the one of this network namespace is told of, and no other") {
    history h = with_room_for(10);
    h.on_event(state(1, 5000, tcp_state::established, tcp_state::fin_wait1, ms));
    h.on_event(state(2, 5000, tcp_state::established, tcp_state::close_wait, ms));
    h.on_event(state(1, 5000, tcp_state::fin_wait1, tcp_state::close, 2 * ms));
    h.on_event(state(2, 5000, tcp_state::close_wait, tcp_state::close, 2 * ms));
    h.on_event(destroyed(1, 101, 3 * ms));
    h.on_event(destroyed(2, 102, 3 * ms));
    h.on_destroyed({.cookie = 102, .ends = ends(5000)}, 4 * ms);
    const auto told = h.take(second);
    REQUIRE(told.size() == 1);
    CHECK(told[0].states.has(tcp_state::close_wait));
    CHECK(h.take(10 * second).empty());
}

TEST_CASE("the message of a socket may come before its event") {
    history h = with_room_for(10);
    h.on_destroyed({.cookie = 7}, ms);
    end(h, 1, 5000, 7, 2 * ms);
    CHECK(h.take(second).size() == 1);
}

TEST_CASE("a RST belongs to the connection whose socket sent it, also when that has been destroyed") {
    history h = with_room_for(10);
    end(h, 1, 5000, 7, ms);
    h.on_event({.kind = event_kind::reset_sent,
                .time = ms + 1,
                .socket = 1,
                .ends = ends(5000),
                .after = tcp_state::close,
                .reason = "TCP_ABORT_ON_DATA"});
    h.on_destroyed({.cookie = 7}, 2 * ms);
    const auto told = h.take(second);
    REQUIRE(told.size() == 1);
    CHECK(told[0].reset_sent);
    CHECK(told[0].kernel_reason == "TCP_ABORT_ON_DATA");
}

TEST_CASE("a RST that answers a strange segment long before the end is not the end") {
    history h = with_room_for(10);
    h.on_event(
        {.kind = event_kind::reset_sent, .time = ms, .socket = 1, .ends = ends(5000), .after = tcp_state::established});
    end(h, 1, 5000, 7, second);
    h.on_destroyed({.cookie = 7}, second);
    const auto told = h.take(2 * second);
    REQUIRE(told.size() == 1);
    CHECK_FALSE(told[0].reset_sent);
}

TEST_CASE("only what ends while its listener is being closed by the same thread was in its queue") {
    for (const auto& [thread, listener_gone, expected] :
         {std::tuple{9, false, true}, {8, false, false}, {9, true, false}}) {
        history h = with_room_for(10);
        trace_event closes = state(50, 0, tcp_state::listen, tcp_state::close, ms);
        closes.thread = 9;
        h.on_event(closes);
        if (listener_gone) h.on_event(destroyed(50, 500, ms));
        trace_event child = state(1, 5000, tcp_state::established, tcp_state::close, 2 * ms);
        child.thread = thread;
        h.on_event(child);
        h.on_event(destroyed(1, 7, 2 * ms));
        h.on_destroyed({.cookie = 7}, 2 * ms);
        const auto told = h.take(second);
        REQUIRE(told.size() == 1);
        CHECK(told[0].listener_closed == expected);
    }
}

TEST_CASE("a FIN that was sent again and acknowledged late is no FIN that was given up") {
    for (const auto& [end_after, expected] : {std::pair{300 * ms, false}, {400 * ms, true}}) {
        history h = with_room_for(10);
        h.on_event(state(1, 5000, tcp_state::close_wait, tcp_state::last_ack, second));
        h.on_event({.kind = event_kind::sent_again, .time = second + 200 * ms, .socket = 1, .ends = ends(5000)});
        h.on_event(state(1, 5000, tcp_state::last_ack, tcp_state::close,
                         second + 200 * ms + end_after - 100 * ms * !expected));
        h.on_event(destroyed(1, 7, 2 * second));
        h.on_destroyed({.cookie = 7}, 2 * second);
        const auto told = h.take(3 * second);
        REQUIRE(told.size() == 1);
        CHECK(told[0].gave_up == expected);
    }
}

TEST_CASE("what does not fit is forgotten, the longest unchanged first, and counted") {
    history h = with_room_for(10);
    for (std::uint16_t i = 0; i != 25; ++i)
        h.on_event(state(100u + i, i, tcp_state::established, tcp_state::close_wait, i * ms));
    CHECK(h.forgotten() == 15);
    for (std::uint16_t i = 0; i != 1000; ++i) end(h, 1000u + i, i, i, second);
    CHECK(h.forgotten() > 900);
    CHECK(h.take(2 * second).empty());
}

TEST_CASE("a connection whose descriptor is still held is counted until it is closed") {
    history h = with_room_for(10);
    h.on_event(state(1, 5000, tcp_state::established, tcp_state::close, ms));
    CHECK(h.held() == 1);
    h.on_event(destroyed(1, 7, second));
    CHECK(h.held() == 0);
}

TEST_CASE("an orphan in FIN-WAIT-2 is looked up until it has become a TIME-WAIT, or is gone") {
    looked_up now_there{leftover::fin_wait2, 2 * second};
    lingering l(10, [&](const connection&) { return now_there; });
    life orphan{.ends = ends(5000), .ended = second};
    orphan.states.push(tcp_state::fin_wait2);
    orphan.left = leftover::fin_wait2;
    REQUIRE(l.add(orphan, second));
    CHECK(over(l, second).empty());
    CHECK(l.size() == 1);

    SUBCASE("the peer closes") {
        now_there = {leftover::time_wait, 59 * second};
        const auto told = over(l, 3 * second);
        REQUIRE(told.size() == 1);
        CHECK(told[0].left == leftover::time_wait);
        CHECK(told[0].ended == 2 * second);
    }
    SUBCASE("its time is over") {
        now_there = {leftover::nothing, 0};
        const auto told = over(l, 3 * second);
        REQUIRE(told.size() == 1);
        CHECK(told[0].left_ran_out);
    }
    SUBCASE("it goes before its time") {
        now_there = {leftover::nothing, 0};
        const auto told = over(l, second + 500 * ms);
        REQUIRE(told.size() == 1);
        CHECK_FALSE(told[0].left_ran_out);
    }
    SUBCASE("data comes for it") {
        now_there = {leftover::nothing, 0};
        l.on_reset(
            {.kind = event_kind::reset_sent, .time = second + ms, .ends = ends(5000), .reason = "TCP_TIMEWAIT_SOCKET"});
        const auto told = over(l, second + 2 * ms);
        REQUIRE(told.size() == 1);
        CHECK(told[0].reset_sent);
    }
    SUBCASE("data comes for it, and that is read after it was seen to be gone") {
        now_there = {leftover::nothing, 0};
        l.look(second + 900 * ms);
        l.on_reset(
            {.kind = event_kind::reset_sent, .time = second + ms, .ends = ends(5000), .reason = "TCP_TIMEWAIT_SOCKET"});
        const auto told = l.take();
        REQUIRE(told.size() == 1);
        CHECK(told[0].reset_sent);
        CHECK(told[0].ended == second + ms);
    }
    SUBCASE("its numbers are those of another connection by then") {
        now_there = {leftover::used_anew, 0};
        const auto told = over(l, 2 * second);
        REQUIRE(told.size() == 1);
        CHECK(told[0].left == leftover::used_anew);
    }
    SUBCASE("its numbers were those of another connection, which is an orphan too") {
        REQUIRE(l.add(orphan, second + ms));
        CHECK(l.size() == 1);
        const auto told = l.take();
        REQUIRE(told.size() == 1);
        CHECK(told[0].left == leftover::not_looked_up);
    }
    SUBCASE("a connection of the same name elsewhere is reset") {
        l.on_reset(
            {.kind = event_kind::reset_sent, .time = second + ms, .ends = ends(5000), .reason = "TCP_TIMEWAIT_SOCKET"});
        CHECK(over(l, second + 2 * ms).empty());
        now_there = {leftover::time_wait, 60 * second};
        const auto told = over(l, 4 * second);
        REQUIRE(told.size() == 1);
        CHECK_FALSE(told[0].reset_sent);
    }
}

TEST_CASE("there is an end to how many orphans are looked up") {
    lingering l(3, [](const connection&) { return looked_up{leftover::fin_wait2, second}; });
    for (std::uint16_t i = 0; i != 3; ++i) CHECK(l.add(life{.ends = ends(i)}, 0));
    CHECK_FALSE(l.add(life{.ends = ends(9)}, 0));
}
