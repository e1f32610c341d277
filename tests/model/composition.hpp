// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_COMPOSITION_HPP
#define CLOSESIDE_TESTS_MODEL_COMPOSITION_HPP

#include "arrivals.hpp"
#include "close_driver.hpp"
#include "peer_steps.hpp"
#include "world.hpp"

#include <closeside/detail/close/apply_policy.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
        w.late_ticks = setting_.late_ticks;
        w.ours.notices = setting_.notices;
        // The stream has set the options when the connection was made.
        std::uint64_t made = 0;
        for (bool cut = true; cut;) {
            modelled_kernel::run run = driver_.run_of(w);
            run.made.count = made++;
            modelled_kernel::current = &run;
            closeside::detail::apply_policy<calls>(0, setting_.policy);
            modelled_kernel::current = nullptr;
            cut = run.cut;
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

    static bool is_time(move m) { return m == move::tick || m == move::timer || m == move::cancel || m == move::shed; }

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
        const bool change = action.waits_for_change() && (w.calls != 0 || changed(w.ours, action));
        const bool waits = !action.is_call();
        if (!waits || change) take(w, {move::call}, found, [&](world& n) { return driver_.call(n); });
        const bool due = waits && (change || wake_ups(w, action, found));
        const auto tick = [&](auto&& spend) {
            take(w, {move::tick}, found, [&](world& n) { return ++n.time.now, spend(n), verdict{}; });
        };
        if (waits && w.calls == 0 && !due)
            tick([](world&) {});
        else if (waits && w.calls == 0 && w.late_ticks > 0)
            tick([](world& n) { --n.late_ticks; });
        else if (!waits && w.slow_ticks > 0 && !action.releases())
            tick([](world& n) { --n.slow_ticks; });
    }

    /// True where one is due.
    template <class Found>
    bool wake_ups(const world& w, const close_action& action, Found& found) {
        const auto wake = [&](move m, close_event::kind e) {
            take(w, {m}, found, [&](world& n) { return driver_.advance(n, {e}); });
        };
        const bool readable = action.what == kind::wait_readable && wakes(w.ours, action.bytes);
        const bool writable = action.what == kind::wait_writable && (w.ours.dead || w.ours.room(setting_.buffer) > 0);
        const bool over = driver_.time(w.time.now) >= action.until;
        if (readable) wake(move::readable, close_event::kind::readable);
        if (writable) wake(move::writable, close_event::kind::writable);
        if (over && !readable) wake(move::timer, close_event::kind::timer);
        if (setting_.cancels) {
            wake(move::cancel, close_event::kind::cancelled);
            wake(move::shed, close_event::kind::shed);
        }
        return readable || writable || over;
    }

    template <class Found>
    void our_kernel_steps(const world& w, Found& found) {
        const auto ours = [&](step s, auto&& act) {
            take(w, s, found, [&](world& n) {
                act(n);
                note_race(setting_, w, n, driver_.next(w));
                return verdict{};
            });
        };
        const bool fits = w.ours.sent < w.theirs.taken + setting_.window;
        if (w.ours.has_unsent() && fits) {
            const segment s = w.ours.numbered(w.ours.sent);
            ours({move::we_send, packed(s)}, [](world& n) { n.to_them.put(n.ours.send_next(n.time.now)); });
        }
        if (w.ours.has_unsent() && !fits && !w.ours.awaits_ack() && w.ours.last_ack != w.time.now)
            ours({move::we_probe}, [](world& n) { n.ours.last_ack = n.time.now; });
        resend(w, w.ours, w.to_them, w.to_us, move::we_resend, found,
               [](world& n) { n.to_them.put(n.ours.resend(n.time.now)); });
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
        take(w, {m, packed(from.numbered(from.acknowledged))}, found, [&](world& n) {
            act(n);
            if (!needed) --n.duplicates;
            return verdict{};
        });
    }

    template <class Found>
    void network_steps(const world& w, Found& found) {
        const auto movable = [&](const channel& c) {
            return setting_.in_order ? std::min<std::size_t>(c.size(), 1) : c.size();
        };
        for (std::size_t i = 0; i < movable(w.to_us); ++i)
            take(w, {move::arrives_here, packed(w.to_us[i])}, found, [&](world& n) { return arrives_here(n, i); });
        for (std::size_t i = 0; i < movable(w.to_them); ++i)
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
        const segment s = n.to_us.take(i);
        n.ours.receive(s, n.to_them, n.time.now);
        if (setting_.fault != endpoint_fault::none) spoil(setting_.fault, before.ours, n.ours, s, n.to_them);
        if (setting_.policy.drain_idle >= setting_.policy.drain_time) n.ours.last_input = 0; // it never acts
        note_arrival(setting_, before, n, driver_.next(n));
        return {};
    }

    verdict arrives_there(world& n, std::size_t i) {
        const tcp_endpoint was = n.theirs;
        const segment s = n.to_them.take(i);
        n.theirs.receive(s, n.to_us, 0);
        if (setting_.fault != endpoint_fault::none) spoil(setting_.fault, was, n.theirs, s, n.to_us);
        lose_unread(n.theirs);
        if (was.state == tcp_state::time_wait && n.theirs.state == tcp_state::close) n.past.time_wait_killed = true;
        return {};
    }

    template <class Found>
    void peer_steps(const world& w, Found& found) {
        const auto peer = [&](move m, auto&& act) {
            take(w, {m}, found, [&](world& n) {
                act(n);
                while (n.theirs.has_unsent()) n.to_us.put(n.theirs.send_next(0));
                return verdict{};
            });
        };
        resend(w, w.theirs, w.to_us, w.to_them, move::they_resend, found,
               [](world& n) { n.to_us.put(n.theirs.resend(0)); });
        model::peer_steps(setting_, w, peer);
    }

    /// A read(2) would find so much, or something else [tcp_poll].
    bool wakes(const tcp_endpoint& s, std::uint64_t low_water) const {
        return s.unread(setting_.peer.chunk_bytes) >= low_water || s.fin_received || s.dead || s.notices > 0;
    }
    static bool changed(const tcp_endpoint& s, const close_action& wait) {
        if (wait.what == kind::wait_fin) return s.fin_received || s.dead;
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
