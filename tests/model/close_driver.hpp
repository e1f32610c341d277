// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_CLOSE_DRIVER_HPP
#define CLOSESIDE_TESTS_MODEL_CLOSE_DRIVER_HPP

#include "conduct.hpp"
#include "interned.hpp"
#include "judge.hpp"
#include "kernel_calls.hpp"
#include "world.hpp"

#include <closeside/detail/close/loop.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace model {

using closeside::close_duration;
using closeside::detail::close_event;

/// The program that closes: the shipped closing loop on the modelled kernel, one system call at a time.
template <class Machine>
class close_driver {
    using loop = closeside::detail::close_loop<Machine, calls>;
    static_assert(std::is_trivially_copyable_v<loop>, "a loop is part of the state, as bytes");

public:
    using excuses = std::array<std::uint64_t, exceptions>;

    explicit close_driver(const setting& s) : setting_(s) {
        loops_.id({}); // 0: none
        calls_.id({});
        loop l = fresh();
        const close_action first = l.start();
        first_ = state_of(l, first);
    }

    /// What the machine wants next; `done` where there is none.
    close_action next(const world& w) const {
        const loop_state& s = loops_[w.machine];
        return {static_cast<close_action::kind>(s.action), static_cast<std::uint32_t>(s.bytes),
                close_duration{s.until}};
    }

    verdict start(world& w) {
        w.started = true;
        w.taken_before = w.taken_at_wake_up = w.ours.taken;
        return adopt(w, first_);
    }

    /// One system call of the action; all that are left where the connection is dead, since nothing changes there.
    verdict call(world& w) {
        const close_action action = next(w);
        const world before = w;
        if (action.waits_for_change()) w.time.woken = w.time.now;
        loop l = load(w);
        close_action following;
        bool released = false;
        do {
            l = load(w);
            modelled_kernel::run run = run_of(w);
            modelled_kernel::current = &run;
            following = action.waits_for_change()
                            ? l.unless_changed(0, action, time(w.time.woken))
                            : l.call(0, action, time(w.time.woken), [] { modelled_kernel::close(); });
            modelled_kernel::current = nullptr;
            w.calls = run.cut ? calls_.id(run.made) : 0;
            if (run.sent_reset) w.past.we_reset = true;
            released = run.closed;
            w.no_fin_yet = false;
            if (action.what == kind::receive || action.what == kind::peek) note_read(w, run.last_read);
            if (run.unacknowledged != run.never_asked) w.time.all_seen = run.unacknowledged == 0;
        } while (w.calls != 0 && w.ours.dead);
        if (before.ours.state == tcp_state::established && w.ours.fin_written) w.past.our_fin_first = true;
        if (w.ours.taken != before.ours.taken) w.time.idle_wake_ups = 0;
        const bool room_won = w.ours.written != before.ours.written && w.time.room_since != time_line::never;
        if (room_won) w.time.acked = w.time.progress = w.time.now;
        if (w.calls != 0) return {};
        if (released) return release(w, before, l, following);
        note(w, action);
        return follow(w, l, action, following);
    }

    verdict advance(world& w, close_event e) {
        const close_action wait = next(w);
        w.time.woken = w.time.now;
        w.taken_at_wake_up = w.ours.taken;
        w.time.waited = true;
        w.time.deadline = static_cast<std::uint8_t>(
            std::min<std::int64_t>((wait.until.count + setting_.tick - 1) / setting_.tick, time_line::never));
        if (e.what == close_event::kind::timer && w.time.idle_wake_ups < 3) ++w.time.idle_wake_ups;
        if (e.what == close_event::kind::cancelled || e.what == close_event::kind::shed) w.cancelled = true;
        loop l = load(w);
        const close_action following = l.step(e, time(w.time.woken));
        return follow(w, l, wait, following);
    }

    close_duration time(std::uint8_t tick) const { return close_duration{tick * setting_.tick}; }
    const excuses& excused() const { return excused_; }
    void excuse(exception e) { ++excused_[static_cast<std::size_t>(e)]; }

    modelled_kernel::run run_of(world& w) const {
        return {w.ours,     w.to_them,      setting_.peer.chunk_bytes, setting_.buffer, setting_.tick,
                w.time.now, calls_[w.calls]};
    }

private:
    using kind = close_action::kind;
    /// The loop as bytes, and the action that it has asked for.
    struct loop_state {
        std::array<std::byte, (sizeof(loop) + 7) / 8 * 8> memory{};
        std::uint64_t action = static_cast<std::uint64_t>(kind::done);
        std::uint64_t bytes = 0;
        std::int64_t until = 0;
    };

    loop fresh() const {
        static constexpr std::array<char, 8 * modelled_kernel::reply_unit> last{};
        return loop(setting_.policy,
                    {.wants_report = !setting_.unattended,
                     .linger_is_set = setting_.policy.linger == closeside::lingering::abort,
                     .last_bytes = static_cast<std::uint32_t>(setting_.last * modelled_kernel::reply_unit)},
                    last.data());
    }

    static loop_state state_of(const loop& l, const close_action& a) {
        loop_state s;
        std::memcpy(s.memory.data(), static_cast<const void*>(&l), sizeof l);
        s.action = static_cast<std::uint64_t>(a.what);
        s.bytes = a.bytes;
        s.until = a.until.count;
        return s;
    }

    loop load(const world& w) const {
        loop l = fresh();
        std::memcpy(static_cast<void*>(&l), loops_[w.machine].memory.data(), sizeof l);
        return l;
    }

    static void note_read(world& w, std::int64_t n) {
        w.no_fin_yet = n == -EAGAIN;
        if (n == 0 && w.ours.fin_received) w.at_eof = true;
    }

    /// What an action has done that is over now.
    void note(world& w, const close_action& a) const {
        const bool all_acknowledged = w.ours.all_acknowledged();
        if (a.what == kind::half_close) {
            w.time.half_closed = w.time.now;
            w.time.idle_wake_ups = 0;
            if (w.ours.dead && !setting_.unattended) w.past.gone_in_half_close = true;
        }
        if (a.what == kind::look && w.ours.acknowledged == w.ours.write_end()) w.time.all_seen = true;
        if (a.what == kind::look || w.time.all_seen) w.time.looked = true;
        const bool woken_for_input = w.time.looked && w.ours.taken != w.taken_at_wake_up;
        const bool looks = a.what == kind::receive || a.what == kind::look_unacknowledged;
        if (looks && woken_for_input && all_acknowledged && limits(setting_, w).patient())
            w.time.asked = std::min(w.time.asked, w.time.now);
    }

    /// Takes the machine's answer over, if it is a legal one.
    verdict follow(world& w, const loop& l, const close_action& from, const close_action& to) {
        if (to.what == kind::done) return broken(property::one_event_an_action, "done, with the descriptor still open");
        if (to.what == kind::wait_writable && w.time.room_since == time_line::never) w.time.room_since = w.time.now;
        if (verdict v = conduct(setting_, w).limit(l.report().limit, load(w).report().limit, from, to); v.broken)
            return v;
        return adopt(w, state_of(l, to));
    }

    verdict adopt(world& w, const loop_state& state) {
        w.machine = loops_.id(state);
        const close_action a = next(w);
        verdict v = conduct(setting_, w).action(a);
        forget(w, a);
        return v;
    }

    /// What nothing depends on from here on, so that fewer states are told apart.
    void forget(world& w, const close_action& a) const {
        if (a.what != kind::half_close) w.no_fin_yet = false;
        if (!a.is_call()) w.time.deadline = w.time.woken = 0, w.taken_at_wake_up = w.ours.taken;
        if (w.time.looked) w.ours.last_sent = 0;
        if (!a.releases()) return;
        w.time = {};
        w.ours.last_ack = w.ours.last_sent = w.ours.last_input = 0;
    }

    verdict release(world& w, const world& before, const loop& l, const close_action& following) {
        const bool both_fins = before.ours.state == tcp_state::closing || before.ours.state == tcp_state::last_ack;
        if (both_fins && w.ours.state == tcp_state::close && !w.past.we_reset) w.past.forgotten = true;
        if (following.what != kind::done || !l.machine().finished())
            return broken(property::one_event_an_action, std::string("after the release: ") + name(following.what));
        const closeside::close_report report = report_of(l);
        if (report.discarded != w.ours.taken - w.taken_before)
            return broken(property::discard_limit, "discarded is not what was read");
        const release_judge judge(setting_, before, w);
        const auto note_excuse = [&](exception x) { excuse(x); };
        const verdict v = setting_.unattended ? judge.unattended(report, note_excuse) : judge(report, note_excuse);
        if (v.broken) return v;
        finish(w, report, setting_.unattended || l.error(report) == closeside::detail::close_error{});
        return {};
    }

    closeside::close_report report_of(const loop& l) const {
        if constexpr (requires { l.machine().report_unseen(false); })
            if (setting_.unattended) return l.report_unseen();
        return l.report();
    }

    /// What the rest of the run does not depend on is forgotten.
    static void finish(world& w, const closeside::close_report& r, bool kept) {
        w.finished = true;
        w.predicted = r.time_wait;
        w.limit = r.limit;
        w.kept = kept;
        w.machine = 0;
        w.ours.taken = w.taken_before = w.taken_at_wake_up = 0;
        w.slow_ticks = w.late_ticks = 0;
        w.at_eof = w.no_fin_yet = false;
    }

    setting setting_;
    interned<loop_state> loops_;
    interned<modelled_kernel::answers> calls_;
    loop_state first_;
    excuses excused_{};
};

} // namespace model

#endif
