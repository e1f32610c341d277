// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_ARRIVALS_HPP
#define CLOSESIDE_TESTS_MODEL_ARRIVALS_HPP

#include "limits.hpp"
#include "world.hpp"

#include <closeside/detail/close/event.hpp>

#include <cstring>

namespace model {

/// Between the first look of the release and close(2) nothing may change, or the report cannot know.
/** An unattended close has looked for the last time when it reads. */
inline void note_race(const setting& s, const world& before, world& n,
                      const closeside::detail::close_action& under_way) {
    const bool half_closes = under_way.what == closeside::detail::close_action::kind::half_close;
    if (s.unattended && half_closes && n.ours.fin_received && !before.ours.fin_received)
        n.past.gone_in_half_close = true;
    if ((before.calls == 0 && !s.unattended) || !under_way.releases()) return;
    if (std::memcmp(&before.ours, &n.ours, sizeof n.ours) != 0) n.past.raced = true;
}

/// What was in flight when its phase began is not told apart at a first look, unless it was all: it is acknowledged
/// within a round trip, or sent again.
inline void note_progress(const setting& s, world& n) {
    n.time.acked = n.time.now;
    n.time.idle_wake_ups = 0;
    const bool in_phase = n.time.looked || n.ours.last_sent > limits(s, n).progress();
    if (in_phase || n.ours.all_acknowledged()) n.time.progress = n.time.now;
}

/// What the judges have to know of a segment that has come here.
inline void note_arrival(const setting& s, const world& before, world& n,
                         const closeside::detail::close_action& under_way) {
    const tcp_endpoint& was = before.ours;
    const tcp_endpoint& is = n.ours;
    note_race(s, before, n, under_way);
    if (is.acknowledged != was.acknowledged && !was.all_acknowledged()) note_progress(s, n);
    if (n.finished && !before.to_them.carries_reset() && n.to_them.carries_reset()) n.past.refused_input = true;
    if (under_way.releases() && is.arrived() != was.arrived()) n.past.input_raced = true;
    if (was.state == tcp_state::time_wait && is.state == tcp_state::close) n.past.time_wait_killed = true;
    const bool reset = !was.dead && is.error != 0 && is.dead;
    if (reset && n.finished) n.past.reset_after_release = true;
    if (reset && !n.finished) n.past.reset_by_peer = true;
}

} // namespace model

#endif
