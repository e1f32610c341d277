// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/close_machine.hpp>

#include <closeside/policy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>

namespace cs = closeside;
using namespace std::chrono_literals;
using namespace cs::detail;

using action = close_action::kind;
using event = close_event::kind;
using cs::close_limit;
using cs::close_policy;
using cs::ending;
using cs::side;
using cs::time_wait_holder;

namespace {

constexpr auto established = tcp_state::established;

constexpr close_event half_closed(tcp_state after = tcp_state::fin_wait2, tcp_state before = established) {
    return {.what = event::half_closed, .before = before, .after = after};
}
constexpr close_event received(std::uint64_t bytes) { return {.what = event::received, .bytes = bytes}; }
constexpr close_event just(event what) { return {.what = what}; }
constexpr close_event released(tcp_state state, bool unread = false) {
    return {.what = event::released, .last = {.state = state, .unread = unread}};
}

struct step {
    close_event happens{};
    cs::milliseconds at{};
    action then = action::done;
    cs::milliseconds until{};
    std::uint64_t bytes = 0;
};

/// How far the walk went as expected; all steps and a finished machine: the number of steps.
template <std::size_t N>
constexpr std::size_t walk(close_machine& m, action first, const std::array<step, N>& steps) {
    if (m.start().what != first) return 1000;
    for (std::size_t i = 0; i < N; ++i) {
        const close_action a = m.step(steps[i].happens, steps[i].at);
        if (a.what != steps[i].then) return i;
        if (steps[i].until.count != 0 && a.until != steps[i].until) return 2000 + i;
        if (steps[i].bytes != 0 && a.bytes != steps[i].bytes) return 3000 + i;
    }
    return m.finished() ? N : 4000;
}

struct ends_as {
    close_outcome outcome;
    std::optional<side> first_fin;
    ending by;
    time_wait_holder holder;
    close_limit limit = close_limit::none;
    std::uint64_t discarded = 0;
};

template <std::size_t N>
constexpr bool walks(const close_policy& p, action first, const std::array<step, N>& steps, const ends_as& end) {
    close_machine m(p);
    if (walk(m, first, steps) != N) return false;
    const cs::close_report& r = m.report();
    return m.outcome() == end.outcome && r.first_fin == end.first_fin && r.ended_by == end.by &&
           r.time_wait == end.holder && r.limit == end.limit && r.discarded == end.discarded;
}

constexpr cs::milliseconds t0{0}, t1{1}, t2s{2000}, t5s{5000}, t30s{30'000};
constexpr std::uint64_t mib = 1u << 20;
constexpr std::uint64_t quota = close_machine::quota;

// graceful

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable, t5s},
                               step{just(event::readable), t1, action::receive},
                               step{just(event::end_of_file), t1, action::close},
                               step{released(tcp_state::close), t1, action::done}},
                    {close_outcome::kept, side::local, ending::fin, time_wait_holder::local}),
              "graceful: our FIN, drain, the peer's FIN, TIME-WAIT here");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t1, action::wait_readable},
                               step{just(event::readable), t1, action::receive},
                               step{received(100), t1, action::wait_readable, cs::milliseconds{5001}},
                               step{just(event::timer), cs::milliseconds{5001}, action::receive},
                               step{just(event::would_block), cs::milliseconds{5001}, action::close},
                               step{released(tcp_state::fin_wait2), cs::milliseconds{5001}, action::done}},
                    {close_outcome::drain_time_over, side::local, ending::fin, time_wait_holder::left_to_kernel,
                     close_limit::drain_time, 100}),
              "graceful: drain_time counts from our FIN; past it one more look, then the kernel owns an orphan");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable},
                               step{just(event::readable), t5s, action::receive},
                               step{just(event::end_of_file), t5s, action::close},
                               step{released(tcp_state::close), t5s, action::done}},
                    {close_outcome::kept, side::local, ending::fin, time_wait_holder::local}),
              "graceful: a FIN that a late thread finds at the deadline counts");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable},
                               step{just(event::readable), t0, action::receive},
                               step{received(quota), t0, action::wait_readable, t5s, quota},
                               step{just(event::readable), t0, action::receive, t0, quota},
                               step{received(quota), t0, action::wait_readable, t5s, quota},
                               step{just(event::readable), t0, action::receive, t0, quota},
                               step{received(quota), t0, action::wait_readable, t5s, quota},
                               step{just(event::readable), t0, action::receive, t0, quota},
                               step{received(quota), t0, action::wait_readable, t5s, 1},
                               step{just(event::readable), t0, action::peek}, step{received(1), t0, action::close},
                               step{released(tcp_state::fin_wait2, true), t0, action::done}},
                    {close_outcome::drain_bytes_over, side::local, ending::reset_by_us, time_wait_holder::nobody,
                     close_limit::drain_bytes, mib}),
              "graceful: a flood costs one quota a wake-up, and one byte more than drain_bytes ends it");

static_assert(
    walks({.drain_bytes = 10}, action::receive,
          std::array{
              step{just(event::would_block), t0, action::half_close}, step{half_closed(), t0, action::wait_readable},
              step{just(event::readable), t0, action::receive, t0, 10}, step{received(10), t0, action::peek},
              step{just(event::would_block), t0, action::wait_readable}, step{just(event::readable), t1, action::peek},
              step{just(event::end_of_file), t1, action::close}, step{released(tcp_state::close), t1, action::done}},
          {close_outcome::kept, side::local, ending::fin, time_wait_holder::local, close_limit::none, 10}),
    "exactly drain_bytes and then the FIN is within the limit");

static_assert(walks({.drain_bytes = 0}, action::peek,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable},
                               step{just(event::readable), t0, action::peek}, step{received(1), t0, action::close},
                               step{released(tcp_state::fin_wait2, true), t0, action::done}},
                    {close_outcome::drain_bytes_over, side::local, ending::reset_by_us, time_wait_holder::nobody,
                     close_limit::drain_bytes}),
              "drain_bytes = 0 waits for the FIN and suffers no byte");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(tcp_state::last_ack, tcp_state::close_wait), t0, action::wait_readable},
                               step{just(event::readable), t0, action::receive},
                               step{just(event::end_of_file), t0, action::close},
                               step{released(tcp_state::last_ack), t0, action::done}},
                    {close_outcome::kept, side::peer, ending::fin, time_wait_holder::peer}),
              "graceful: the peer was faster, and holds TIME-WAIT");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(tcp_state::closing), t0, action::wait_readable},
                               step{just(event::readable), t0, action::receive},
                               step{just(event::end_of_file), t0, action::close},
                               step{released(tcp_state::close), t0, action::done}},
                    {close_outcome::kept, side::local, ending::fin, time_wait_holder::both}),
              "graceful: the FINs crossed, and both hold TIME-WAIT");

static_assert(
    walks(cs::policies::graceful, action::receive,
          std::array{step{just(event::would_block), t0, action::half_close},
                     step{half_closed(), t0, action::wait_readable}, step{just(event::readable), t0, action::receive},
                     step{just(event::reset), t0, action::close}, step{released(tcp_state::close), t0, action::done}},
          {close_outcome::reset_by_peer, side::local, ending::reset_by_peer, time_wait_holder::nobody}),
    "graceful: reset while draining");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::failed), t0, action::close},
                               step{released(tcp_state::close), t0, action::done}},
                    {close_outcome::failed, std::nullopt, ending::failed, time_wait_holder::nobody}),
              "graceful: the connection was gone before");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::end_of_file), t0, action::close},
                               step{released(tcp_state::close_wait), t0, action::done}},
                    {close_outcome::kept, side::peer, ending::fin, time_wait_holder::peer}),
              "graceful: where the peer's FIN is there already, close(2) sends ours and nothing is left to wait for");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{received(100), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable, t5s, 1},
                               step{just(event::readable), t1, action::receive},
                               step{just(event::end_of_file), t1, action::close},
                               step{released(tcp_state::close), t1, action::done}},
                    {close_outcome::kept, side::local, ending::fin, time_wait_holder::local, close_limit::none, 100}),
              "graceful: what is there before our FIN counts as discarded");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{received(quota), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable},
                               step{just(event::readable), t0, action::receive, t0, quota},
                               step{just(event::end_of_file), t1, action::close},
                               step{released(tcp_state::close), t1, action::done}},
                    {close_outcome::kept, side::local, ending::fin, time_wait_holder::local, close_limit::none, quota}),
              "graceful: a flood that is there already costs one quota before our FIN, too");

// peer_first

static_assert(walks(cs::policies::peer_first, action::receive,
                    std::array{step{received(7), t0, action::wait_readable, t30s},
                               step{just(event::readable), t2s, action::receive},
                               step{just(event::end_of_file), t2s, action::close},
                               step{released(tcp_state::close_wait), t2s, action::done}},
                    {close_outcome::kept, side::peer, ending::fin, time_wait_holder::peer, close_limit::none, 7}),
              "peer_first: the peer's FIN, then ours with close(2)");

static_assert(walks(cs::policies::peer_first, action::receive,
                    std::array{step{just(event::would_block), t0, action::wait_readable, t30s},
                               step{just(event::timer), t30s, action::receive},
                               step{just(event::would_block), t30s, action::abort},
                               step{released(tcp_state::established), t30s, action::done}},
                    {close_outcome::patience_over, std::nullopt, ending::reset_by_us, time_wait_holder::nobody,
                     close_limit::patience}),
              "peer_first: out of patience it resets, so that TIME-WAIT stays away");

static_assert(walks(cs::policies::peer_first, action::receive,
                    std::array{step{just(event::would_block), t0, action::wait_readable},
                               step{just(event::timer), t30s, action::receive},
                               step{just(event::end_of_file), t30s, action::close},
                               step{released(tcp_state::close_wait), t30s, action::done}},
                    {close_outcome::kept, side::peer, ending::fin, time_wait_holder::peer}),
              "peer_first: a FIN found by the last look keeps the promise");

constexpr close_policy then_close{.closes_first = side::peer, .on_limit = cs::limit_action::close};
static_assert(walks(then_close, action::receive,
                    std::array{step{just(event::would_block), t0, action::wait_readable},
                               step{just(event::timer), t30s, action::receive},
                               step{received(3), t30s, action::receive},
                               step{just(event::would_block), t30s, action::close},
                               step{released(tcp_state::established), t30s, action::done}},
                    {close_outcome::patience_over, side::local, ending::fin, time_wait_holder::left_to_kernel,
                     close_limit::patience, 3}),
              "on_limit = close: what has arrived is discarded, then our FIN goes out after all");

static_assert(walks(cs::policies::peer_first, action::receive,
                    std::array{step{just(event::end_of_file), t0, action::close},
                               step{released(tcp_state::close), t0, action::done}},
                    {close_outcome::reset_by_peer, side::peer, ending::reset_by_peer, time_wait_holder::nobody}),
              "peer_first: CLOSE before our FIN is a reset, even where the read said end of file");

// abortive and system

static_assert(walks(cs::policies::abortive, action::abort,
                    std::array{step{released(tcp_state::established, true), t0, action::done}},
                    {close_outcome::kept, std::nullopt, ending::reset_by_us, time_wait_holder::nobody}));
static_assert(walks(cs::policies::abortive, action::abort,
                    std::array{step{released(tcp_state::close), t0, action::done}},
                    {close_outcome::kept, std::nullopt, ending::reset_by_peer, time_wait_holder::nobody}));
static_assert(walks(cs::policies::system, action::close,
                    std::array{step{released(tcp_state::established), t0, action::done}},
                    {close_outcome::kept, side::local, ending::fin, time_wait_holder::left_to_kernel}));
static_assert(walks(cs::policies::system, action::close,
                    std::array{step{released(tcp_state::close_wait), t0, action::done}},
                    {close_outcome::kept, side::peer, ending::fin, time_wait_holder::peer}));
static_assert(walks(cs::policies::system, action::close,
                    std::array{step{released(tcp_state::close_wait, true), t0, action::done}},
                    {close_outcome::kept, side::peer, ending::reset_by_us, time_wait_holder::nobody}));

// until_acked

constexpr close_policy acked_only{
    .linger = cs::lingering::until_acked(2s), .drain_time = cs::milliseconds{0}, .drain_bytes = 0};
static_assert(walks(acked_only, action::half_close,
                    std::array{step{half_closed(tcp_state::fin_wait1), t1, action::wait_acked, cs::milliseconds{2001}},
                               step{just(event::acked), t1, action::close},
                               step{released(tcp_state::fin_wait2), t1, action::done}},
                    {close_outcome::kept, side::local, ending::fin, time_wait_holder::left_to_kernel}));
static_assert(walks(
    acked_only, action::half_close,
    std::array{step{half_closed(tcp_state::fin_wait1), t0, action::wait_acked, t2s},
               step{just(event::timer), t2s, action::close}, step{released(tcp_state::fin_wait1), t2s, action::done}},
    {close_outcome::linger_over, side::local, ending::fin, time_wait_holder::left_to_kernel, close_limit::linger}));

constexpr close_policy acked_or_abort{.linger = cs::lingering::until_acked(2s), .on_limit = cs::limit_action::abort};
static_assert(walks(acked_or_abort, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(tcp_state::fin_wait1), t0, action::wait_readable},
                               step{just(event::readable), t0, action::receive},
                               step{just(event::end_of_file), t1, action::wait_acked, t2s},
                               step{just(event::timer), t2s, action::abort},
                               step{released(tcp_state::closing), t2s, action::done}},
                    {close_outcome::linger_over, side::local, ending::fin, time_wait_holder::peer,
                     close_limit::linger}),
              "an abort in CLOSING with everything sent is silent; the peer still goes through TIME-WAIT");

constexpr close_policy passive_acked{.closes_first = side::peer, .linger = cs::lingering::until_acked(2s)};
static_assert(walks(passive_acked, action::receive,
                    std::array{step{just(event::end_of_file), t1, action::half_close},
                               step{half_closed(tcp_state::last_ack, tcp_state::close_wait), t1, action::wait_acked},
                               step{just(event::acked), t1, action::close},
                               step{released(tcp_state::close), t1, action::done}},
                    {close_outcome::kept, side::peer, ending::fin, time_wait_holder::peer}));

constexpr close_policy slow_and_acked{.linger = cs::lingering::until_acked(10s)};
static_assert(walks(slow_and_acked, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(tcp_state::fin_wait1), t0, action::wait_readable, t5s},
                               step{just(event::timer), t5s, action::receive},
                               step{just(event::would_block), t5s, action::wait_acked, cs::milliseconds{10'000}},
                               step{just(event::timer), cs::milliseconds{10'000}, action::close},
                               step{released(tcp_state::fin_wait1), cs::milliseconds{10'000}, action::done}},
                    {close_outcome::drain_time_over, side::local, ending::fin, time_wait_holder::left_to_kernel,
                     close_limit::drain_time}),
              "the first limit that ran out stays the reason");

// cancellation

static_assert(walks(
    cs::policies::graceful, action::receive,
    std::array{step{just(event::would_block), t0, action::half_close}, step{half_closed(), t0, action::wait_readable},
               step{just(event::cancelled), t1, action::receive}, step{just(event::would_block), t1, action::close},
               step{released(tcp_state::fin_wait2), t1, action::done}},
    {close_outcome::cancelled, side::local, ending::fin, time_wait_holder::left_to_kernel, close_limit::cancelled}));
static_assert(walks(
    cs::policies::peer_first, action::receive,
    std::array{step{just(event::would_block), t0, action::wait_readable},
               step{just(event::cancelled), t1, action::receive}, step{just(event::would_block), t1, action::abort},
               step{released(tcp_state::established), t1, action::done}},
    {close_outcome::cancelled, std::nullopt, ending::reset_by_us, time_wait_holder::nobody, close_limit::cancelled}));
static_assert(walks(
    cs::policies::graceful, action::receive,
    std::array{step{just(event::would_block), t0, action::half_close}, step{half_closed(), t0, action::wait_readable},
               step{just(event::terminated), t1, action::abort},
               step{released(tcp_state::fin_wait2), t1, action::done}},
    {close_outcome::cancelled, side::local, ending::reset_by_us, time_wait_holder::nobody, close_limit::cancelled}));
static_assert(walks(
    acked_only, action::half_close,
    std::array{step{half_closed(tcp_state::fin_wait1), t0, action::wait_acked},
               step{just(event::cancelled), t1, action::close}, step{released(tcp_state::fin_wait1), t1, action::done}},
    {close_outcome::cancelled, side::local, ending::fin, time_wait_holder::left_to_kernel, close_limit::cancelled}));

// linger2

constexpr close_policy skipping{.linger2 = cs::fin_wait2::skip, .drain_time = cs::milliseconds{0}, .drain_bytes = 0};
static_assert(walks(skipping, action::close, std::array{step{released(tcp_state::established), t0, action::done}},
                    {close_outcome::kept, side::local, ending::fin, time_wait_holder::left_to_kernel}),
              "fin_wait2::skip: FIN, and RST when it is acknowledged, which nobody has seen yet");

// durations without end

static_assert(
    [] {
        close_machine m({.drain_time = std::chrono::hours::max()});
        m.start();
        m.step(half_closed(), cs::milliseconds{7});
        const close_action a = m.step(just(event::would_block), cs::milliseconds{7});
        return a.what == action::wait_readable && a.until.count > 0;
    }(),
    "a deadline saturates instead of overflowing into the past");

} // namespace

TEST_CASE("every policy that is no contradiction ends from every wait, whatever event comes") {
    const std::array policies{cs::policies::graceful,
                              cs::policies::peer_first,
                              cs::policies::abortive,
                              cs::policies::system,
                              then_close,
                              acked_only,
                              acked_or_abort,
                              passive_acked,
                              slow_and_acked,
                              skipping};
    const std::array events{event::readable, event::timer, event::cancelled, event::terminated, event::acked};
    for (const close_policy& p : policies) {
        REQUIRE(cs::contradiction(p) == nullptr);
        for (const event e : events) {
            CAPTURE(to_string(p));
            CAPTURE(static_cast<int>(e));
            close_machine m(p);
            close_action a = m.start();
            int steps = 0;
            bool told = false;
            for (; a.what != action::done && steps < 20; ++steps) {
                switch (a.what) {
                case action::half_close: a = m.step(half_closed(), t0); break;
                case action::receive:
                case action::peek: a = m.step(just(told ? event::end_of_file : event::would_block), t0); break;
                case action::wait_readable:
                case action::wait_acked:
                    // acked belongs to wait_acked and readable to wait_readable
                    if (a.what == action::wait_acked)
                        a = m.step(just(e == event::readable ? event::acked : e), t0);
                    else
                        a = m.step(just(e == event::acked ? event::readable : e), t0);
                    told = true;
                    break;
                default: a = m.step(released(tcp_state::close), t0);
                }
            }
            CHECK(m.finished());
            CHECK(steps < 20);
        }
    }
}

TEST_CASE("a finished machine asks for nothing more") {
    close_machine m(cs::policies::abortive);
    m.start();
    CHECK(m.step(released(tcp_state::established), t0).what == action::done);
    CHECK(m.finished());
}
