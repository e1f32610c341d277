// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/close/machine.hpp>

#include <closeside/policy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <variant>

namespace cs = closeside;
using namespace std::chrono_literals;
using namespace cs::detail;

using action = close_action::kind;
using event = close_event::kind;
using cs::close_limit;
using cs::close_policy;
using cs::ending;
using cs::fin_sender;
using cs::side;
using cs::time_wait_holder;

namespace {

constexpr auto established = tcp_state::established;

constexpr close_event half_closed(tcp_state after = tcp_state::fin_wait2, tcp_state before = established) {
    return {.what = event::half_closed, .before = before, .after = after};
}
constexpr close_event received(std::uint64_t bytes) { return {.what = event::received, .bytes = bytes}; }
constexpr close_event just(event what) { return {.what = what}; }
constexpr close_event sent(std::uint64_t bytes) { return {.what = event::sent, .bytes = bytes}; }
constexpr close_event failed(int error) { return {.what = event::failed, .error = error}; }
/// In CLOSE both FINs are through, unless the close has learnt of something else.
constexpr last_sample released(tcp_state state, bool unread = false) {
    const auto left = state == tcp_state::close ? last_sample::remains::both_fins : last_sample::remains::nothing;
    return {.state = state, .left = left, .unread = unread};
}
constexpr close_event in_state(tcp_state state) { return {.what = event::state, .after = state}; }
constexpr close_event unacknowledged(std::uint64_t bytes) { return {.what = event::unacknowledged, .bytes = bytes}; }
constexpr cs::close_duration for_ever{1'000'000'000};
/// A look that finds so many bytes unacknowledged, and the last acknowledgement, data and input so long ago.
constexpr connection_look looked(std::uint64_t bytes, cs::close_duration acked_ago = for_ever,
                                 cs::close_duration sent_ago = for_ever, cs::close_duration input_ago = for_ever) {
    return {.state = established,
            .acked_ago = static_cast<std::uint32_t>(acked_ago.count),
            .sent_ago = static_cast<std::uint32_t>(sent_ago.count),
            .input_ago = static_cast<std::uint32_t>(input_ago.count),
            .unacknowledged = bytes};
}

/// What an action is answered with.
using happening = std::variant<close_event, connection_look, last_sample>;

constexpr close_action answer(close_machine& m, const happening& h, cs::close_duration now) {
    if (std::holds_alternative<close_event>(h)) return m.step(std::get<close_event>(h), now);
    if (std::holds_alternative<connection_look>(h)) return m.looked(std::get<connection_look>(h), now);
    m.sampled(std::get<last_sample>(h));
    return m.released();
}

struct step {
    happening happens{close_event{}};
    cs::close_duration at{};
    action then = action::done;
    cs::close_duration until{};
    std::uint64_t bytes = 0;
};

/// How far the walk went as expected; all steps and a finished machine: the number of steps.
template <std::size_t N>
constexpr std::size_t walk(close_machine& m, action first, const std::array<step, N>& steps) {
    if (m.start().what != first) return 1000;
    for (std::size_t i = 0; i < N; ++i) {
        const close_action a = answer(m, steps[i].happens, steps[i].at);
        if (a.what != steps[i].then) return i;
        if (steps[i].until.count != 0 && a.until != steps[i].until) return 2000 + i;
        if (steps[i].bytes != 0 && a.bytes != steps[i].bytes) return 3000 + i;
    }
    return m.finished() ? N : 4000;
}

constexpr close_error kept{};
constexpr close_error not_connected{.system = ENOTCONN};
constexpr close_error timed_out{.system = ETIMEDOUT};
constexpr close_error ours(cs::error e) { return {.ours = e}; }

struct ends_as {
    close_error error;
    fin_sender first_fin;
    ending by;
    time_wait_holder holder;
    close_limit limit = close_limit::none;
    std::uint64_t discarded = 0;
};

template <std::size_t N>
constexpr bool walks(const close_policy& p, action first, const std::array<step, N>& steps, const ends_as& end,
                     const close_manner& manner = {}) {
    close_machine m(p, manner);
    if (walk(m, first, steps) != N) return false;
    const cs::close_report r = m.report();
    return m.error(r) == end.error && r.first_fin == end.first_fin && r.ended_by == end.by &&
           r.time_wait == end.holder && r.limit == end.limit && r.discarded == end.discarded;
}

constexpr cs::close_duration t0{0}, t1{1}, t1s{1000}, t2s{2000}, t4s{4000}, t5s{5000}, t7s{7000}, t30s{30'000};
constexpr std::uint64_t quota = close_machine::quota;

constexpr auto local = fin_sender::local, peer = fin_sender::peer, none = fin_sender::none,
               unknown = fin_sender::unknown;
constexpr auto last_look = close_machine::last_look;

// graceful

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable, t5s},
                               step{just(event::readable), t1, action::receive},
                               step{just(event::end_of_file), t1, action::close},
                               step{released(tcp_state::close), t1, action::done}},
                    {kept, local, ending::fin, time_wait_holder::local}),
              "our FIN, drain, the peer's FIN, TIME-WAIT here");

static_assert(
    walks(cs::policies::graceful, action::receive,
          std::array{step{just(event::would_block), t0, action::half_close},
                     step{half_closed(), t0, action::wait_readable, t5s}, step{just(event::timer), t5s, action::look},
                     step{looked(0, cs::close_duration{4960}), t5s, action::wait_readable, cs::close_duration{5040}},
                     step{just(event::timer), cs::close_duration{5040}, action::receive, t0, last_look},
                     step{just(event::would_block), cs::close_duration{5040}, action::close},
                     step{released(tcp_state::fin_wait2), cs::close_duration{5040}, action::done}},
          {ours(cs::error::drain_time_over), local, ending::fin, time_wait_holder::left_to_kernel,
           close_limit::drain_idle}),
    "a silent peer costs drain_idle from its acknowledgement of our FIN, and one wake-up");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable, t5s},
                               step{just(event::timer), t5s, action::look},
                               step{looked(0), t5s, action::receive, t0, last_look},
                               step{just(event::end_of_file), t5s, action::close},
                               step{released(tcp_state::close), t5s, action::done}},
                    {kept, local, ending::fin, time_wait_holder::local}),
              "a FIN that a late thread finds at the deadline counts");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable, t5s},
                               step{just(event::readable), t2s, action::receive},
                               step{received(100), t2s, action::look_unacknowledged},
                               step{unacknowledged(9000), t2s, action::wait_readable, t7s},
                               step{just(event::readable), t4s, action::receive},
                               step{received(100), t4s, action::look_unacknowledged},
                               step{unacknowledged(0), t4s, action::wait_readable, cs::close_duration{9000}},
                               step{just(event::readable), t5s, action::receive},
                               step{received(100), t5s, action::wait_readable, cs::close_duration{10'000}},
                               step{just(event::timer), cs::close_duration{10'000}, action::receive, t0, last_look},
                               step{just(event::would_block), cs::close_duration{10'000}, action::close},
                               step{released(tcp_state::fin_wait2), cs::close_duration{10'000}, action::done}},
                    {ours(cs::error::drain_time_over), local, ending::fin, time_wait_holder::left_to_kernel,
                     close_limit::drain_idle, 300}),
              "drain_idle runs from the last byte; once all is seen acknowledged nothing is asked any more");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable, t5s},
                               step{just(event::timer), t5s, action::look},
                               step{looked(9000, t1s, t1s), t5s, action::wait_readable, cs::close_duration{9000}},
                               step{just(event::timer), cs::close_duration{9000}, action::look},
                               step{looked(8000, t1s, t1s), cs::close_duration{9000}, action::wait_readable,
                                    cs::close_duration{13'000}},
                               step{just(event::timer), cs::close_duration{13'000}, action::look},
                               step{looked(8000, t1s, t1s), cs::close_duration{13'000}, action::wait_readable,
                                    cs::close_duration{38'000}},
                               step{just(event::timer), cs::close_duration{38'000}, action::look},
                               step{looked(8000, t1s, t1s), cs::close_duration{38'000}, action::receive, t0, last_look},
                               step{just(event::would_block), cs::close_duration{38'000}, action::close},
                               step{released(tcp_state::fin_wait1), cs::close_duration{38'000}, action::done}},
                    {ours(cs::error::drain_time_over), local, ending::fin, time_wait_holder::left_to_kernel,
                     close_limit::drain_time}),
              "drain_time runs from the last progress, and drain_idle not while something is unacknowledged");

static_assert(
    walks(cs::policies::graceful, action::receive,
          std::array{step{just(event::would_block), t0, action::half_close},
                     step{half_closed(), t0, action::wait_readable, t5s}, step{just(event::timer), t5s, action::look},
                     step{looked(9000, cs::close_duration{100}, for_ever), t5s, action::wait_readable, t30s},
                     step{just(event::timer), t30s, action::look},
                     step{looked(9000, cs::close_duration{100}, for_ever), t30s, action::receive, t0, last_look},
                     step{just(event::would_block), t30s, action::close},
                     step{released(tcp_state::fin_wait1), t30s, action::done}},
          {ours(cs::error::drain_time_over), local, ending::fin, time_wait_holder::left_to_kernel,
           close_limit::drain_time}),
    "a peer with a closed window acknowledges probes, which is no progress");

static_assert(
    walks(cs::policies::graceful, action::receive,
          std::array{step{just(event::would_block), t0, action::half_close},
                     step{half_closed(), t0, action::wait_readable}, step{just(event::readable), t0, action::receive},
                     step{received(quota), t0, action::look_unacknowledged},
                     step{unacknowledged(0), t0, action::wait_readable, t5s, quota},
                     step{just(event::readable), t1, action::receive, t0, quota},
                     step{received(quota), t1, action::wait_readable, cs::close_duration{5001}, quota},
                     step{just(event::timer), cs::close_duration{5001}, action::look},
                     step{looked(0, t1s, t1s, t1s), cs::close_duration{5001}, action::receive, t0, quota},
                     step{received(7), cs::close_duration{5001}, action::wait_readable, cs::close_duration{10'001}, 1},
                     step{just(event::readable), cs::close_duration{5002}, action::receive},
                     step{just(event::end_of_file), cs::close_duration{5002}, action::close},
                     step{released(tcp_state::close), cs::close_duration{5002}, action::done}},
          {kept, local, ending::fin, time_wait_holder::local, close_limit::none, 2 * quota + 7}),
    "a flood costs one quota a wake-up; where it has thinned out, the timer's wake-up asks when and reads");

static_assert(
    walks({.drain_bytes = 10}, action::receive,
          std::array{
              step{just(event::would_block), t0, action::half_close}, step{half_closed(), t0, action::wait_readable},
              step{just(event::readable), t0, action::receive, t0, 10}, step{received(10), t0, action::peek},
              step{just(event::would_block), t0, action::look_unacknowledged},
              step{unacknowledged(0), t0, action::wait_readable}, step{just(event::readable), t1, action::peek},
              step{just(event::end_of_file), t1, action::close}, step{released(tcp_state::close), t1, action::done}},
          {kept, local, ending::fin, time_wait_holder::local, close_limit::none, 10}),
    "exactly drain_bytes and then the FIN is within the limit");

static_assert(walks({.drain_bytes = 10}, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable},
                               step{just(event::readable), t0, action::receive, t0, 10},
                               step{received(10), t0, action::peek},
                               step{received(1), t0, action::receive, t0, last_look},
                               step{received(90), t0, action::receive, t0, last_look},
                               step{just(event::would_block), t0, action::close},
                               step{released(tcp_state::fin_wait2), t0, action::done}},
                    {ours(cs::error::drain_bytes_over), local, ending::fin, time_wait_holder::left_to_kernel,
                     close_limit::drain_bytes, 100}),
              "one byte more ends the drain, and what has arrived is emptied, so that close(2) does not reset");

static_assert(walks({.drain_bytes = 0, .on_limit = cs::limit_action::abort}, action::peek,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable},
                               step{just(event::readable), t0, action::peek}, step{received(1), t0, action::receive},
                               step{received(1), t0, action::receive},
                               step{just(event::would_block), t0, action::abort},
                               step{released(tcp_state::fin_wait2), t0, action::done}},
                    {ours(cs::error::drain_bytes_over), local, ending::reset_by_us, time_wait_holder::nobody,
                     close_limit::drain_bytes, 1}),
              "drain_bytes = 0 waits for the FIN and suffers no byte");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(tcp_state::last_ack, tcp_state::close_wait), t0, action::wait_readable},
                               step{just(event::readable), t0, action::receive},
                               step{just(event::end_of_file), t0, action::close},
                               step{released(tcp_state::last_ack), t0, action::done}},
                    {kept, peer, ending::fin, time_wait_holder::peer}),
              "the peer was faster, and holds TIME-WAIT");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(tcp_state::closing), t0, action::wait_readable},
                               step{just(event::readable), t0, action::receive},
                               step{just(event::end_of_file), t0, action::close},
                               step{released(tcp_state::close), t0, action::done}},
                    {kept, local, ending::fin, time_wait_holder::both}),
              "the FINs crossed, and both hold TIME-WAIT");

static_assert(
    walks(cs::policies::graceful, action::receive,
          std::array{step{just(event::would_block), t0, action::half_close},
                     step{half_closed(), t0, action::wait_readable}, step{just(event::readable), t0, action::receive},
                     step{just(event::reset), t0, action::close}, step{released(tcp_state::close), t0, action::done}},
          {ours(cs::error::reset_by_peer), local, ending::reset_by_peer, time_wait_holder::nobody}),
    "reset while draining");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{failed(ETIMEDOUT), t0, action::close},
                               step{released(tcp_state::close), t0, action::done}},
                    {timed_out, none, ending::failed, time_wait_holder::nobody}),
              "the connection was gone before, and the kernel says why");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::not_connected), t0, action::close},
                               step{released(tcp_state::close), t0, action::done}},
                    {not_connected, none, ending::failed, time_wait_holder::nobody}),
              "never connected");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::end_of_file), t0, action::look_state},
                               step{in_state(tcp_state::close_wait), t0, action::close},
                               step{released(tcp_state::close_wait), t0, action::done}},
                    {kept, peer, ending::fin, time_wait_holder::peer}),
              "where the peer's FIN is there already, close(2) sends ours and nothing is left to wait for");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::end_of_file), t0, action::close},
                               step{last_sample{}, t0, action::done}},
                    {not_connected, unknown, ending::unknown, time_wait_holder::unknown}, {.wants_report = false}),
              "if nobody wants a report, the state is not asked: close(2) is the same");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{received(100), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable, t5s, 1},
                               step{just(event::readable), t1, action::receive},
                               step{just(event::end_of_file), t1, action::close},
                               step{released(tcp_state::close), t1, action::done}},
                    {kept, local, ending::fin, time_wait_holder::local, close_limit::none, 100}),
              "what is there before our FIN counts as discarded");

// peer_first

static_assert(walks(cs::policies::peer_first, action::receive,
                    std::array{step{received(7), t0, action::look}, step{looked(4000), t0, action::wait_readable, t2s},
                               step{just(event::readable), t1s, action::receive},
                               step{just(event::end_of_file), t1s, action::look_state},
                               step{in_state(tcp_state::close_wait), t1s, action::close},
                               step{released(tcp_state::close_wait), t1s, action::done}},
                    {kept, peer, ending::fin, time_wait_holder::peer, close_limit::none, 7}),
              "the peer's FIN, then ours with close(2); what was there at the first look does not count");

static_assert(
    walks(cs::policies::peer_first, action::receive,
          std::array{
              step{just(event::would_block), t0, action::look}, step{looked(0), t0, action::wait_readable, t2s},
              step{just(event::timer), t2s, action::receive, t0, last_look},
              step{just(event::would_block), t2s, action::half_close},
              step{half_closed(), t2s, action::wait_readable, t7s}, step{just(event::readable), t4s, action::receive},
              step{just(event::end_of_file), t4s, action::close}, step{released(tcp_state::close), t4s, action::done}},
          {ours(cs::error::patience_over), local, ending::fin, time_wait_holder::local, close_limit::patience}),
    "out of patience our FIN goes out, and the drain follows");

static_assert(
    walks(cs::policies::peer_first_or_reset, action::receive,
          std::array{step{just(event::would_block), t0, action::look}, step{looked(0), t0, action::wait_readable, t2s},
                     step{just(event::timer), t2s, action::receive}, step{just(event::would_block), t2s, action::abort},
                     step{released(established), t2s, action::done}},
          {ours(cs::error::patience_over), none, ending::reset_by_us, time_wait_holder::nobody, close_limit::patience}),
    "or RST, so that TIME-WAIT stays away");

static_assert(
    walks(cs::policies::peer_first, action::receive,
          std::array{step{just(event::would_block), t0, action::look},
                     step{looked(9000), t0, action::wait_readable, t2s}, step{just(event::timer), t2s, action::look},
                     step{looked(5000, cs::close_duration{500}), t2s, action::wait_readable, cs::close_duration{3500}},
                     step{just(event::timer), cs::close_duration{3500}, action::look},
                     step{looked(0, cs::close_duration{1000}), cs::close_duration{3500}, action::wait_readable,
                          cs::close_duration{4500}},
                     step{just(event::timer), cs::close_duration{4500}, action::receive},
                     step{just(event::end_of_file), cs::close_duration{4500}, action::close},
                     step{released(tcp_state::close_wait), cs::close_duration{4500}, action::done}},
          {kept, peer, ending::fin, time_wait_holder::peer}),
    "patience runs from the last acknowledgement of more; a FIN found by the last look keeps the promise");

static_assert(walks(cs::policies::peer_first, action::receive,
                    std::array{step{just(event::would_block), t0, action::look},
                               step{looked(9000), t0, action::wait_readable, t2s},
                               step{just(event::timer), t2s, action::look},
                               step{looked(9000, cs::close_duration{100}), t2s, action::receive},
                               step{just(event::would_block), t2s, action::half_close},
                               step{half_closed(tcp_state::fin_wait1), t2s, action::wait_readable, t7s},
                               step{just(event::timer), t7s, action::look},
                               step{looked(9000, cs::close_duration{100}), t7s, action::wait_readable,
                                    cs::close_duration{32'000}},
                               step{just(event::timer), cs::close_duration{32'000}, action::look},
                               step{looked(9000, cs::close_duration{100}), cs::close_duration{32'000}, action::receive},
                               step{just(event::would_block), cs::close_duration{32'000}, action::close},
                               step{released(tcp_state::fin_wait1), cs::close_duration{32'000}, action::done}},
                    {ours(cs::error::patience_over), local, ending::fin, time_wait_holder::left_to_kernel,
                     close_limit::patience}),
              "acknowledgements of no more are no progress; the first limit that ran out is the one that is named");

static_assert(walks(cs::policies::peer_first, action::receive,
                    std::array{step{just(event::would_block), t0, action::look},
                               step{looked(0), t0, action::wait_readable, t2s},
                               step{just(event::readable), t1s, action::receive},
                               step{received(8), t1s, action::wait_readable, cs::close_duration{1200}},
                               step{just(event::readable), cs::close_duration{1050}, action::receive},
                               step{just(event::end_of_file), cs::close_duration{1050}, action::close},
                               step{released(tcp_state::close_wait), cs::close_duration{1050}, action::done}},
                    {kept, peer, ending::fin, time_wait_holder::peer, close_limit::none, 8}),
              "a goodbye's FIN comes within 200 ms of it");

static_assert(
    walks(cs::policies::peer_first, action::receive,
          std::array{step{just(event::would_block), t0, action::look}, step{looked(0), t0, action::wait_readable, t2s},
                     step{just(event::readable), t1s, action::receive},
                     step{received(300), t1s, action::wait_readable, cs::close_duration{1200}},
                     step{just(event::readable), cs::close_duration{1100}, action::receive},
                     step{received(300), cs::close_duration{1100}, action::wait_readable, cs::close_duration{1200}},
                     step{just(event::timer), cs::close_duration{1200}, action::receive, t0, last_look},
                     step{just(event::would_block), cs::close_duration{1200}, action::half_close},
                     step{half_closed(), cs::close_duration{1200}, action::wait_readable, cs::close_duration{6200}},
                     step{just(event::readable), cs::close_duration{1300}, action::receive},
                     step{just(event::end_of_file), cs::close_duration{1300}, action::close},
                     step{released(tcp_state::close), cs::close_duration{1300}, action::done}},
          {ours(cs::error::peer_still_sends), local, ending::fin, time_wait_holder::local, close_limit::input, 600}),
    "a request's does not, and the client learns by our FIN that it will not be served");

static_assert(
    walks(cs::policies::peer_first, action::receive,
          std::array{
              step{just(event::would_block), t0, action::look}, step{looked(9000), t0, action::wait_readable, t2s},
              step{just(event::readable), t1s, action::receive}, step{received(8), t1s, action::look_unacknowledged},
              step{unacknowledged(4000), t1s, action::wait_readable, t2s},
              step{just(event::readable), t1s, action::receive}, step{received(8), t1s, action::look_unacknowledged},
              step{unacknowledged(0), t1s, action::wait_readable, cs::close_duration{1200}},
              step{just(event::readable), t1s, action::receive}, step{just(event::end_of_file), t1s, action::close},
              step{released(tcp_state::close_wait), t1s, action::done}},
          {kept, peer, ending::fin, time_wait_holder::peer, close_limit::none, 16}),
    "input while our reply is under way says nothing");

static_assert(walks(cs::policies::peer_first, action::receive,
                    std::array{step{just(event::would_block), t0, action::look},
                               step{connection_look{.state = tcp_state::syn_sent}, t0, action::close},
                               step{released(tcp_state::syn_sent), t0, action::done}},
                    {not_connected, none, ending::failed, time_wait_holder::nobody}),
              "a connect that is under way is not waited for");

// what the program has done before

static_assert(walks(cs::policies::peer_first, action::receive,
                    std::array{step{just(event::end_of_file), t0, action::look_state},
                               step{in_state(established), t0, action::look},
                               step{looked(0), t0, action::wait_fin, t2s},
                               step{in_state(tcp_state::close_wait), t1s, action::close},
                               step{released(tcp_state::close_wait), t1s, action::done}},
                    {kept, peer, ending::fin, time_wait_holder::peer}),
              "after shutdown(SHUT_RD) end of file is no FIN: that is waited for by the state");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::end_of_file), t0, action::look_state},
                               step{in_state(established), t0, action::half_close},
                               step{half_closed(), t0, action::wait_fin, t5s},
                               step{just(event::timer), t5s, action::look}, step{looked(0), t5s, action::receive},
                               step{just(event::end_of_file), t5s, action::look_state},
                               step{in_state(tcp_state::fin_wait2), t5s, action::close},
                               step{released(tcp_state::fin_wait2), t5s, action::done}},
                    {ours(cs::error::drain_time_over), local, ending::fin, time_wait_holder::left_to_kernel,
                     close_limit::drain_idle}),
              "nor is it one in the last look");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::end_of_file), t0, action::look_state},
                               step{in_state(tcp_state::close), t0, action::close},
                               step{last_sample{.state = tcp_state::close}, t0, action::done}},
                    {not_connected, unknown, ending::unknown, time_wait_holder::unknown}),
              "dead, and the program has taken the error: nobody knows any more");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::end_of_file), t0, action::look_state},
                               step{in_state(tcp_state::close), t0, action::close},
                               step{released(tcp_state::close), t0, action::done}},
                    {kept, unknown, ending::fin, time_wait_holder::unknown}),
              "both FINs are through, and the program has sent ours");

static_assert(walks(cs::policies::graceful, action::receive,
                    std::array{step{just(event::end_of_file), t0, action::look_state},
                               step{in_state(tcp_state::closing), t0, action::close},
                               step{released(tcp_state::closing), t0, action::done}},
                    {kept, local, ending::fin, time_wait_holder::both}),
              "the program's FIN and the peer's have crossed");

// abortive and system

static_assert(walks(cs::policies::abortive, action::abort,
                    std::array{step{released(established, true), t0, action::done}},
                    {kept, none, ending::reset_by_us, time_wait_holder::nobody}));
static_assert(walks(cs::policies::abortive, action::abort,
                    std::array{step{last_sample{.state = tcp_state::close, .reset = true}, t0, action::done}},
                    {kept, none, ending::reset_by_peer, time_wait_holder::nobody}));
static_assert(walks(cs::policies::system, action::close, std::array{step{released(established), t0, action::done}},
                    {kept, local, ending::fin, time_wait_holder::left_to_kernel}));
static_assert(walks(cs::policies::system, action::close,
                    std::array{step{released(tcp_state::close_wait), t0, action::done}},
                    {kept, peer, ending::fin, time_wait_holder::peer}));
static_assert(walks(cs::policies::system, action::close,
                    std::array{step{released(tcp_state::close_wait, true), t0, action::done}},
                    {kept, peer, ending::reset_by_us, time_wait_holder::nobody}));
static_assert(walks(cs::policies::system, action::close,
                    std::array{step{released(tcp_state::syn_sent), t0, action::done}},
                    {not_connected, none, ending::failed, time_wait_holder::nobody}));

// until_acked

constexpr close_policy acked_only{.linger = cs::lingering::until_acked(2s), .drain_time = cs::close_duration{0}};
static_assert(walks(
    acked_only, action::half_close,
    std::array{step{half_closed(tcp_state::fin_wait1), t1, action::wait_acked, cs::close_duration{2001}},
               step{just(event::acked), t1, action::close}, step{released(tcp_state::fin_wait2), t1, action::done}},
    {kept, local, ending::fin, time_wait_holder::left_to_kernel}));
static_assert(
    walks(acked_only, action::half_close,
          std::array{step{half_closed(tcp_state::fin_wait1), t0, action::wait_acked, t2s},
                     step{just(event::timer), t2s, action::receive, t0, last_look},
                     step{received(5), t2s, action::receive}, step{just(event::would_block), t2s, action::close},
                     step{released(tcp_state::fin_wait1), t2s, action::done}},
          {ours(cs::error::linger_over), local, ending::fin, time_wait_holder::left_to_kernel, close_limit::linger, 5}),
    "its limit is never extended, and unread input would reset what is still under way");

constexpr close_policy acked_or_abort{.linger = cs::lingering::until_acked(2s), .on_limit = cs::limit_action::abort};
static_assert(walks(acked_or_abort, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(tcp_state::fin_wait1), t0, action::wait_readable},
                               step{just(event::readable), t0, action::receive},
                               step{just(event::end_of_file), t1, action::wait_acked, t2s},
                               step{just(event::timer), t2s, action::abort},
                               step{released(tcp_state::closing), t2s, action::done}},
                    {ours(cs::error::linger_over), local, ending::fin, time_wait_holder::peer, close_limit::linger}),
              "an abort in CLOSING with everything sent is silent; the peer still goes through TIME-WAIT");

constexpr close_policy passive_acked{.closes_first = side::peer, .linger = cs::lingering::until_acked(2s)};
static_assert(walks(passive_acked, action::receive,
                    std::array{step{just(event::end_of_file), t1, action::look_state},
                               step{in_state(tcp_state::close_wait), t1, action::half_close},
                               step{half_closed(tcp_state::last_ack, tcp_state::close_wait), t1, action::wait_acked},
                               step{just(event::acked), t1, action::close},
                               step{released(tcp_state::close), t1, action::done}},
                    {kept, peer, ending::fin, time_wait_holder::peer}));

constexpr close_policy slow_and_acked{.linger = cs::lingering::until_acked(10s)};
static_assert(walks(slow_and_acked, action::receive,
                    std::array{step{just(event::would_block), t0, action::half_close},
                               step{half_closed(tcp_state::fin_wait1), t0, action::wait_readable, t5s},
                               step{just(event::timer), t5s, action::look}, step{looked(0), t5s, action::receive},
                               step{just(event::would_block), t5s, action::wait_acked, cs::close_duration{10'000}},
                               step{just(event::timer), cs::close_duration{10'000}, action::receive},
                               step{just(event::would_block), cs::close_duration{10'000}, action::close},
                               step{released(tcp_state::fin_wait1), cs::close_duration{10'000}, action::done}},
                    {ours(cs::error::drain_time_over), local, ending::fin, time_wait_holder::left_to_kernel,
                     close_limit::drain_idle}),
              "the first limit that ran out stays the reason");

/// The FINs cross, and the wait for the acknowledgement of ours finds CLOSING, or comes too late to.
constexpr time_wait_holder holder_after_crossing(bool found_closing) {
    close_machine m(slow_and_acked);
    m.start();
    for (const event e : {event::would_block, event::half_closed, event::readable, event::end_of_file})
        m.step(e == event::half_closed ? half_closed(tcp_state::fin_wait1) : just(e), t0);
    if (found_closing) m.fin_unacknowledged();
    m.step(just(event::acked), t1);
    m.sampled(released(tcp_state::close));
    m.released();
    return m.report().time_wait;
}
static_assert(holder_after_crossing(true) == time_wait_holder::both);
static_assert(holder_after_crossing(false) == time_wait_holder::local);

// cancelled, and shed

static_assert(walks(
    cs::policies::graceful, action::receive,
    std::array{step{just(event::would_block), t0, action::half_close}, step{half_closed(), t0, action::wait_readable},
               step{just(event::cancelled), t1, action::receive, t0, last_look},
               step{just(event::would_block), t1, action::close},
               step{released(tcp_state::fin_wait2), t1, action::done}},
    {ours(cs::error::cancelled), local, ending::fin, time_wait_holder::left_to_kernel, close_limit::cancelled}));
static_assert(
    walks(cs::policies::peer_first, action::receive,
          std::array{step{just(event::would_block), t0, action::look}, step{looked(0), t0, action::wait_readable},
                     step{just(event::shed), t1, action::receive}, step{received(300), t1, action::receive},
                     step{just(event::would_block), t1, action::close}, step{released(established), t1, action::done}},
          {ours(cs::error::cancelled), local, ending::fin, time_wait_holder::left_to_kernel, close_limit::shed, 300}),
    "nobody waits any more: no drain, but an empty queue, so that the kernel delivers what is queued");
static_assert(
    walks(cs::policies::peer_first_or_reset, action::receive,
          std::array{step{just(event::would_block), t0, action::look}, step{looked(0), t0, action::wait_readable},
                     step{just(event::cancelled), t1, action::receive},
                     step{just(event::would_block), t1, action::abort}, step{released(established), t1, action::done}},
          {ours(cs::error::cancelled), none, ending::reset_by_us, time_wait_holder::nobody, close_limit::cancelled}));
static_assert(walks(
    acked_only, action::half_close,
    std::array{step{half_closed(tcp_state::fin_wait1), t0, action::wait_acked},
               step{just(event::cancelled), t1, action::receive}, step{just(event::would_block), t1, action::close},
               step{released(tcp_state::fin_wait1), t1, action::done}},
    {ours(cs::error::cancelled), local, ending::fin, time_wait_holder::left_to_kernel, close_limit::cancelled}));

// last bytes

constexpr close_manner ten_bytes{.last_bytes = 10};

constexpr bool sends(const close_policy& p, const auto& steps, cs::last_bytes_fate fate, close_limit limit) {
    close_machine m(p, ten_bytes);
    return walk(m, action::send, steps) == steps.size() && m.report().last_bytes == fate && m.report().limit == limit;
}

static_assert(sends(cs::policies::graceful,
                    std::array{step{sent(10), t0, action::receive},
                               step{just(event::would_block), t0, action::half_close},
                               step{half_closed(), t0, action::wait_readable, t5s},
                               step{just(event::readable), t1, action::receive},
                               step{just(event::end_of_file), t1, action::close},
                               step{released(tcp_state::close), t1, action::done}},
                    cs::last_bytes_fate::sent, close_limit::none),
              "they go out before our FIN");
static_assert(sends(cs::policies::graceful,
                    std::array{
                        step{just(event::would_block), t0, action::wait_writable, t30s},
                        step{just(event::writable), t4s, action::send, t0, 10}, step{sent(4), t4s, action::send, t0, 6},
                        step{just(event::would_block), t4s, action::wait_writable, cs::close_duration{34'000}},
                        step{just(event::writable), t5s, action::send, t0, 6}, step{sent(6), t5s, action::receive},
                        step{just(event::would_block), t5s, action::half_close},
                        step{half_closed(), t7s, action::wait_readable, cs::close_duration{12'000}},
                        step{just(event::readable), t7s, action::receive},
                        step{just(event::end_of_file), t7s, action::close},
                        step{released(tcp_state::close), t7s, action::done}},
                    cs::last_bytes_fate::sent, close_limit::none),
              "waiting for room spends drain_time, and room that is won is progress");
static_assert(sends(cs::policies::peer_first,
                    std::array{step{just(event::would_block), t0, action::wait_writable, t2s},
                               step{just(event::timer), t2s, action::receive},
                               step{just(event::would_block), t2s, action::half_close},
                               step{half_closed(tcp_state::fin_wait1), t2s, action::wait_readable, t7s},
                               step{just(event::readable), t4s, action::receive},
                               step{just(event::end_of_file), t4s, action::close},
                               step{released(tcp_state::close), t4s, action::done}},
                    cs::last_bytes_fate::not_sent, close_limit::patience),
              "past the limit of the phase that they delay they are not sent, and on_limit follows");
static_assert(sends(acked_only,
                    std::array{step{just(event::would_block), t0, action::wait_writable, t2s},
                               step{just(event::writable), t1s, action::send}, step{sent(10), t1s, action::half_close},
                               step{half_closed(tcp_state::fin_wait1), t1s, action::wait_acked, t2s},
                               step{just(event::acked), t1s, action::close},
                               step{released(tcp_state::fin_wait2), t1s, action::done}},
                    cs::last_bytes_fate::sent, close_limit::none),
              "until_acked counts from the first wait, and is not extended");
static_assert(sends(cs::policies::system,
                    std::array{step{just(event::would_block), t0, action::close},
                               step{released(established), t0, action::done}},
                    cs::last_bytes_fate::not_sent, close_limit::none),
              "who waits for nothing sends them if there is room now");
static_assert(sends(cs::policies::graceful,
                    std::array{step{just(event::would_block), t0, action::wait_writable},
                               step{just(event::cancelled), t1, action::receive},
                               step{just(event::would_block), t1, action::close},
                               step{released(established), t1, action::done}},
                    cs::last_bytes_fate::not_sent, close_limit::cancelled));
static_assert(
    [] {
        close_machine m(cs::policies::abortive, ten_bytes);
        const action first = m.start().what;
        answer(m, released(established), t0);
        return first == action::abort && m.report().last_bytes == cs::last_bytes_fate::not_sent;
    }(),
    "an abort sends nothing");

// linger2

constexpr close_policy skipping{.linger2 = cs::fin_wait2::skip, .drain_time = cs::close_duration{0}};
static_assert(walks(skipping, action::close, std::array{step{released(established), t0, action::done}},
                    {kept, local, ending::fin, time_wait_holder::left_to_kernel}),
              "fin_wait2::skip: FIN, and RST when it is acknowledged, which nobody has seen yet");

// durations without end

constexpr cs::close_duration deadline_of(const close_policy& p) {
    close_machine m(p);
    close_action a = m.start();
    for (int i = 0; i < 10 && a.is_call(); ++i)
        a = answer(m,
                   a.what == action::half_close ? happening(half_closed())
                   : a.what == action::look     ? happening(looked(0))
                                                : happening(just(event::would_block)),
                   cs::close_duration{7});
    return a.until;
}
static_assert(deadline_of({.drain_time = std::chrono::hours::max(), .drain_idle = std::chrono::hours::max()}).count >
              1'000'000'000'000);
static_assert(deadline_of({.closes_first = side::peer, .patience = std::chrono::milliseconds::max()}).count >
              1'000'000'000'000);
static_assert(deadline_of({.linger = cs::lingering::until_acked(std::chrono::hours(24 * 365 * 300)),
                           .drain_time = cs::close_duration{0}})
                  .count > 1'000'000'000'000);

} // namespace

TEST_CASE("every policy that is no contradiction ends from every wait, whatever event comes") {
    const std::array policies{cs::policies::graceful,
                              cs::policies::peer_first,
                              cs::policies::peer_first_or_reset,
                              cs::policies::abortive,
                              cs::policies::system,
                              acked_only,
                              acked_or_abort,
                              passive_acked,
                              slow_and_acked,
                              skipping};
    const std::array events{event::readable, event::timer, event::cancelled, event::shed, event::acked};
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
                case action::look: a = answer(m, looked(0), t0); break;
                case action::look_state: a = m.step(in_state(tcp_state::close_wait), t0); break;
                case action::look_unacknowledged: a = m.step(unacknowledged(0), t0); break;
                case action::wait_readable:
                case action::wait_acked:
                    // acked belongs to wait_acked and readable to wait_readable
                    if (a.what == action::wait_acked)
                        a = m.step(just(e == event::readable ? event::acked : e), t0);
                    else
                        a = m.step(just(e == event::acked ? event::readable : e), t0);
                    told = true;
                    break;
                default: a = answer(m, released(tcp_state::close), t0);
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
    CHECK(answer(m, released(tcp_state::established), t0).what == action::done);
    CHECK(m.finished());
}
