// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_COMPOSITION_HPP
#define CLOSESIDE_TESTS_MODEL_COMPOSITION_HPP

#include "close_driver.hpp"
#include "peer_steps.hpp"
#include "world.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace model {

/// Every step that is possible in a state, whoever takes it.
template <class Machine>
class composition {
public:
    explicit composition(const setting& s) : setting_(s), driver_(s) {}

    world first() const {
        world w;
        w.ours.written = setting_.reply;
        w.losses = setting_.losses;
        w.duplicates = setting_.duplicates;
        w.slow_ticks = setting_.slow_ticks;
        // The stream has set the options when the connection was made.
        for (std::uint32_t made = 0; made < 2; ++made) {
            modelled_kernel::run run{w.ours, w.to_them, 1, {}};
            run.made.count = made;
            modelled_kernel::current = &run;
            calls::apply_policy(0, setting_.policy);
            modelled_kernel::current = nullptr;
        }
        return w;
    }

    /// Calls found(world, step, verdict) for each.
    template <class Found>
    void steps_from(const world& w, Found&& found) {
        close_steps(w, found);
        our_kernel_steps(w, found);
        network_steps(w, found);
        peer_steps(w, found);
    }

    verdict judge_end(const world& w) {
        return model::judge_end(setting_, w, [&](exception e) { driver_.excuse(e); });
    }

    /// Both programs wait for each other, though the peer closes when it sees our end: only a limit would help.
    bool idle(const world& w) const {
        const bool peer_would_close =
            setting_.peer.closes == peer_closes::on_eof || setting_.peer.closes == peer_closes::after_the_reply;
        return w.started && !w.finished && peer_would_close && !w.peer.closed &&
               setting_.policy.closes_first == closeside::side::local;
    }

    static bool is_time(move m) {
        return m == move::tick || m == move::timer || m == move::cancel || m == move::terminate;
    }

    const auto& excused() const { return driver_.excused(); }
    close_action next(const world& w) const { return driver_.next(w); }

private:
    using kind = close_action::kind;

    template <class Found>
    void close_steps(const world& w, Found& found) {
        if (!w.started) {
            take(w, {move::start}, found, [&](world& n) { return driver_.start(n); });
            const bool something =
                w.ours.unread(setting_.peer.chunk_bytes) > 0 || (w.ours.error != 0 && !w.ours.fin_received);
            if (setting_.program_reads && something)
                take(w, {move::program_reads}, found, [&](world& n) { return program_reads(n); });
            return;
        }
        if (w.finished) return;
        const close_action action = driver_.next(w);
        const bool waits = action.what == kind::wait_readable || action.what == kind::wait_acked;
        const bool releases = action.what == kind::close || action.what == kind::abort;
        if (!waits || (action.what == kind::wait_acked && (w.calls != 0 || fin_settled(w.ours))))
            take(w, {move::call}, found, [&](world& n) { return driver_.call(n); });
        if (waits && w.calls == 0) wake_ups(w, action, found);
        const bool late = driver_.time(w.now).count >= action.until.count + setting_.tick;
        if (waits ? !late : w.slow_ticks > 0 && !releases)
            take(w, {move::tick}, found, [&](world& n) {
                ++n.now;
                if (!waits) --n.slow_ticks;
                return verdict{};
            });
    }

    template <class Found>
    void wake_ups(const world& w, const close_action& action, Found& found) {
        const auto wake = [&](move m, close_event::kind e) {
            take(w, {m}, found, [&](world& n) {
                n.since_wake_up = 0;
                if (m == move::cancel || m == move::terminate) n.cancelled = true;
                return driver_.advance(n, {e});
            });
        };
        if (action.what == kind::wait_readable && readable(w.ours)) wake(move::readable, close_event::kind::readable);
        if (driver_.time(w.now) >= action.until) wake(move::timer, close_event::kind::timer);
        if (!setting_.cancels) return;
        wake(move::cancel, close_event::kind::cancelled);
        wake(move::terminate, close_event::kind::terminated);
    }

    template <class Found>
    void our_kernel_steps(const world& w, Found& found) {
        const auto ours = [&](step s, auto&& act) {
            take(w, s, found, [&](world& n) {
                act(n);
                note_race(w, n);
                return verdict{};
            });
        };
        if (w.ours.has_unsent()) {
            const segment s = w.ours.numbered(w.ours.sent);
            ours({move::we_send, packed(s)}, [](world& n) { n.to_them.put(n.ours.send_next()); });
        }
        resend(w, w.ours, w.to_them, w.to_us, move::we_resend, found, [](world& n) { n.to_them.put(n.ours.resend()); });
        if (w.ours.orphan && w.ours.state == tcp_state::fin_wait2)
            ours({move::our_fin_wait2_ends}, [](world& n) { n.ours.state = tcp_state::close; });
        if (setting_.peer.path_dies && w.ours.awaits_ack() && !w.finished)
            ours({move::path_dies}, [](world& n) {
                n.ours.give_up();
                n.past.gave_up = true;
            });
    }

    /// A retransmission: after a loss, when nothing else is left to wait for; or a needless one.
    template <class Found, class Act>
    void resend(const world& w, const tcp_endpoint& from, const channel& out, const channel& back, move m, Found& found,
                Act&& act) {
        if (!from.awaits_ack() || out.carries(from.acknowledged)) return;
        const bool needed = back.size() == 0;
        if (!needed && w.duplicates == 0) return;
        take(w, {m, packed(from.resend())}, found, [&](world& n) {
            act(n);
            if (!needed) --n.duplicates;
            return verdict{};
        });
    }

    template <class Found>
    void network_steps(const world& w, Found& found) {
        for (std::size_t i = 0; i < w.to_us.size(); ++i)
            take(w, {move::arrives_here, packed(w.to_us[i])}, found, [&](world& n) { return arrives_here(n, i); });
        for (std::size_t i = 0; i < w.to_them.size(); ++i)
            take(w, {move::arrives_there, packed(w.to_them[i])}, found, [&](world& n) { return arrives_there(n, i); });
        if (w.losses == 0) return;
        const auto lose = [&](move m, channel world::*way, std::size_t i) {
            take(w, {m, packed((w.*way)[i])}, found, [&](world& n) {
                (n.*way).take(i);
                --n.losses;
                return verdict{};
            });
        };
        for (std::size_t i = 0; i < w.to_us.size(); ++i) lose(move::lost_to_us, &world::to_us, i);
        for (std::size_t i = 0; i < w.to_them.size(); ++i) lose(move::lost_to_them, &world::to_them, i);
    }

    verdict arrives_here(world& n, std::size_t i) {
        const world before = n;
        n.ours.receive(n.to_us.take(i), n.to_them);
        note_race(before, n);
        if (before.ours.state == tcp_state::time_wait && n.ours.state == tcp_state::close)
            n.past.time_wait_killed = true;
        const bool reset = !before.ours.dead && n.ours.error != 0 && n.ours.dead;
        if (reset && n.finished) n.past.reset_after_release = true;
        if (reset && !n.finished) n.past.reset_by_peer = true;
        const bool in_half_close = (n.calls != 0 || n.no_fin_yet != 0) && driver_.next(n).what == kind::half_close;
        if (in_half_close && !before.ours.fin_received && n.ours.fin_received) n.past.fin_in_half_close = true;
        return {};
    }

    verdict arrives_there(world& n, std::size_t i) {
        const tcp_state before = n.theirs.state;
        n.theirs.receive(n.to_them.take(i), n.to_us);
        lose_unread(n.theirs);
        if (before == tcp_state::time_wait && n.theirs.state == tcp_state::close) n.past.time_wait_killed = true;
        return {};
    }

    /// Between the first look of the release and close(2) nothing may change, or the report cannot know.
    void note_race(const world& before, world& n) const {
        const kind action = driver_.next(before).what;
        if (before.calls == 0 || before.finished || (action != kind::close && action != kind::abort)) return;
        if (std::memcmp(&before.ours, &n.ours, sizeof n.ours) != 0) n.past.raced = true;
    }

    template <class Found>
    void peer_steps(const world& w, Found& found) {
        const auto peer = [&](move m, auto&& act) {
            take(w, {m}, found, [&](world& n) {
                act(n);
                while (n.theirs.has_unsent()) n.to_us.put(n.theirs.send_next());
                return verdict{};
            });
        };
        resend(w, w.theirs, w.to_us, w.to_them, move::they_resend, found,
               [](world& n) { n.to_us.put(n.theirs.resend()); });
        model::peer_steps(setting_, w, peer);
    }

    bool readable(const tcp_endpoint& s) const {
        return s.unread(setting_.peer.chunk_bytes) > 0 || s.fin_received || s.dead;
    }
    static bool fin_settled(const tcp_endpoint& s) {
        return s.seen() != tcp_state::fin_wait1 && s.state != tcp_state::closing && s.state != tcp_state::last_ack;
    }

    /// What the program may have done before it closed: it has read all, and so taken a pending error.
    verdict program_reads(world& n) const {
        const std::uint32_t unread = n.ours.unread(setting_.peer.chunk_bytes);
        n.ours.taken += unread;
        if (unread == 0 && !n.ours.fin_received && n.ours.error != 0) {
            n.ours.error = 0;
            n.past.told_before = true;
        }
        return {};
    }

    template <class Found, class Act>
    static void take(const world& w, step s, Found& found, Act&& act) {
        world n = w;
        verdict v = act(n);
        n.to_us.forget_acks(std::min(n.ours.acknowledged, n.theirs.expected));
        n.to_them.forget_acks(std::min(n.theirs.acknowledged, n.ours.expected));
        found(n, s, std::move(v));
    }

    setting setting_;
    close_driver<Machine> driver_;
};

} // namespace model

#endif
