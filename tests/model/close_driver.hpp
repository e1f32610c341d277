// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_CLOSE_DRIVER_HPP
#define CLOSESIDE_TESTS_MODEL_CLOSE_DRIVER_HPP

#include "interned.hpp"
#include "judge.hpp"
#include "kernel_calls.hpp"
#include "world.hpp"

#include <closeside/detail/close_machine.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace model {

using closeside::milliseconds;
using closeside::detail::close_action;
using closeside::detail::close_event;

inline const char* name(close_action::kind a) {
    constexpr std::array names{"half_close", "receive", "peek",  "wait_readable",
                               "wait_acked", "close",   "abort", "done"};
    return names[static_cast<std::size_t>(a)];
}

/// What the program may do that closes: it carries out the machine's actions on the modelled kernel, as
/// closing_socket does on the real one, and checks each of them.
template <class Machine>
class close_driver {
    static_assert(std::is_trivially_copyable_v<Machine>, "a machine is part of the state, as bytes");

public:
    using excuses = std::array<std::uint64_t, exceptions>;

    explicit close_driver(const setting& s) : setting_(s) {
        machines_.id({}); // 0: none
        calls_.id({});
        Machine machine(s.policy);
        const close_action first = machine.start();
        first_ = state_of(machine, first);
    }

    /// What the machine wants next; `done` where there is none.
    close_action next(const world& w) const {
        const machine_state& s = machines_[w.machine];
        return {static_cast<close_action::kind>(s.action), s.bytes, milliseconds{s.until}};
    }

    verdict start(world& w) {
        w.started = true;
        w.taken_before = w.ours.taken;
        return adopt(w, first_);
    }

    /// One system call of the function that the machine has asked for.
    verdict call(world& w) {
        const close_action action = next(w);
        const world before = w;
        modelled_kernel::run run{w.ours, w.to_them, setting_.peer.chunk_bytes, calls_[w.calls]};
        modelled_kernel::current = &run;
        const close_event e = perform(action, w);
        modelled_kernel::current = nullptr;
        if (before.ours.state == tcp_state::established && w.ours.fin_written) w.past.our_fin_first = true;
        w.calls = static_cast<std::uint16_t>(run.cut ? calls_.id(run.made) : 0);
        if (run.cut) return {};
        if (run.closed) return release(w, before, e, run.sent_reset);
        note(w, e);
        return advance(w, e);
    }

    verdict advance(world& w, const close_event& e) {
        Machine machine = load(w);
        const close_action action = machine.step(e, time(w.now));
        if (action.what == kind::done || machine.finished())
            return broken(property::one_event_an_action, "done, with the descriptor still open");
        return adopt(w, state_of(machine, action));
    }

    milliseconds time(std::uint8_t ticks) const { return milliseconds{ticks * setting_.tick}; }
    const excuses& excused() const { return excused_; }
    void excuse(exception e) { ++excused_[static_cast<std::size_t>(e)]; }

private:
    using kind = close_action::kind;
    /// The machine as bytes, and the action that it has asked for.
    struct machine_state {
        std::array<std::byte, (sizeof(Machine) + 7) / 8 * 8> machine{};
        std::uint64_t action = static_cast<std::uint64_t>(kind::done);
        std::uint64_t bytes = 0;
        std::int64_t until = 0;
    };

    static machine_state state_of(const Machine& machine, const close_action& a) {
        machine_state s;
        std::memcpy(s.machine.data(), static_cast<const void*>(&machine), sizeof machine);
        s.action = static_cast<std::uint64_t>(a.what);
        s.bytes = a.bytes;
        s.until = a.until.count;
        return s;
    }

    Machine load(const world& w) const {
        Machine machine(setting_.policy);
        std::memcpy(static_cast<void*>(&machine), machines_[w.machine].machine.data(), sizeof machine);
        return machine;
    }

    close_event perform(const close_action& a, const world& w) const {
        switch (a.what) {
        case kind::half_close: return calls::half_close(0, w.no_fin_yet == 0);
        case kind::receive: return calls::receive(0, a.bytes);
        case kind::peek: return calls::peek(0);
        case kind::wait_acked: return calls::check_acked(0);
        default: break;
        }
        const auto last = calls::sample(0, w.our_fin, w.at_eof, a.what == kind::abort);
        if (a.what == kind::abort) calls::set_linger(0, true);
        modelled_kernel::close();
        return {.what = close_event::kind::released, .last = last};
    }

    void note(world& w, const close_event& e) const {
        if (e.what == close_event::kind::half_closed) {
            w.our_fin = true;
            w.half_closed_at = w.now;
            if (e.before != tcp_state::close_wait && e.after == tcp_state::close && w.past.fin_in_half_close)
                w.past.gone_in_half_close = true;
        }
        w.no_fin_yet = e.what == close_event::kind::would_block ? 1 : 0;
        if (e.what == close_event::kind::end_of_file) w.at_eof = true;
        if (e.what == close_event::kind::reset || e.what == close_event::kind::failed) w.at_eof = false;
        if (e.what == close_event::kind::received && next(w).what == kind::receive)
            w.since_wake_up += static_cast<std::uint32_t>(e.bytes);
    }

    /// Takes the machine's answer over, if it is a legal one.
    verdict adopt(world& w, const machine_state& state) {
        const std::uint32_t id = machines_.id(state);
        if (id > 0xffff) throw std::length_error("model: too many different machines");
        w.machine = static_cast<std::uint16_t>(id);
        return check(w, next(w));
    }

    verdict check(const world& w, const close_action& a) const {
        const bool reads = a.what == kind::receive || a.what == kind::peek || a.what == kind::wait_readable;
        const bool waits = a.what == kind::wait_readable || a.what == kind::wait_acked;
        const std::uint64_t discarded = w.ours.taken - w.taken_before;
        if (reads && w.at_eof) return broken(property::one_event_an_action, "reads beyond the end of file");
        if (a.what == kind::half_close && w.our_fin) return broken(property::one_event_an_action, "half-closes again");
        if (a.what == kind::wait_acked && !w.our_fin)
            return broken(property::one_event_an_action, "waits for the acknowledgement of a FIN not sent");
        if (discarded > setting_.policy.drain_bytes)
            return broken(property::discard_limit, std::to_string(discarded) + " bytes discarded");
        if (a.what == kind::receive) return check_read(w, a, discarded);
        if (!waits) return {};
        if (w.cancelled) return broken(property::cancel, std::string("cancelled, and goes on to ") + name(a.what));
        const milliseconds limit = limit_of(w, a);
        if (a.until > limit || time(w.now) >= limit)
            return broken(property::limit, std::string(name(a.what)) + " until " + std::to_string(a.until.count) +
                                               " ms; the limit is " + std::to_string(limit.count) + " ms");
        return {};
    }

    /// One wake-up may find the limit exceeded, and then takes a last look: twice the quota at most.
    verdict check_read(const world& w, const close_action& a, std::uint64_t discarded) const {
        constexpr auto quota = closeside::detail::close_machine::quota;
        if (a.bytes == 0) return broken(property::one_event_an_action, "reads nothing, which looks like end of file");
        if (discarded + a.bytes > setting_.policy.drain_bytes)
            return broken(property::discard_limit, "asks for more than is left");
        if (w.since_wake_up + a.bytes > 2 * quota)
            return broken(property::quota, std::to_string(w.since_wake_up + a.bytes) + " bytes on one wake-up");
        return {};
    }

    milliseconds limit_of(const world& w, const close_action& a) const {
        const auto& p = setting_.policy;
        const std::int64_t half_closed = time(w.half_closed_at).count;
        if (a.what == kind::wait_acked) return milliseconds{half_closed + p.linger.time.count};
        return w.our_fin ? milliseconds{half_closed + p.drain_time.count} : p.patience;
    }

    verdict release(world& w, const world& before, const close_event& e, bool sent_reset) {
        const bool both_fins = before.ours.state == tcp_state::closing || before.ours.state == tcp_state::last_ack;
        if (both_fins && w.ours.state == tcp_state::close && !sent_reset) w.past.forgotten = true;

        Machine machine = load(w);
        const close_action a = machine.step(e, time(w.now));
        if (a.what != kind::done || !machine.finished())
            return broken(property::one_event_an_action, std::string("after the release: ") + name(a.what));
        const closeside::close_report report = machine.report();
        if (report.discarded != w.ours.taken - w.taken_before)
            return broken(property::discard_limit, "discarded is not what was read");
        const release_judge judge(setting_, before, w, sent_reset);
        if (verdict v = judge(report, [&](exception x) { excuse(x); }); v.broken) return v;
        finish(w, report, machine.outcome());
        return {};
    }

    /// What the rest of the run does not depend on is forgotten.
    static void finish(world& w, const closeside::close_report& r, closeside::detail::close_outcome outcome) {
        w.finished = true;
        w.predicted = r.time_wait;
        w.limit = r.limit;
        w.outcome = outcome;
        w.machine = 0;
        w.ours.taken = w.taken_before = w.since_wake_up = 0;
        w.now = w.half_closed_at = w.slow_ticks = 0;
        w.our_fin = w.at_eof = false;
    }

    setting setting_;
    interned<machine_state> machines_;
    interned<modelled_kernel::answers> calls_;
    machine_state first_;
    excuses excused_{};
};

} // namespace model

#endif
