// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_MUTANTS_HPP
#define CLOSESIDE_TESTS_MODEL_MUTANTS_HPP

#include <closeside/detail/close/machine.hpp>

#include <cstdint>

// The shipped machine, each with one thing wrong: what the exploration must notice.
namespace model::mutants {

using closeside::close_duration;
using closeside::close_policy;
using closeside::close_report;
using closeside::detail::close_action;
using closeside::detail::close_event;
using closeside::detail::close_machine;
using closeside::detail::close_manner;
using closeside::detail::connection_look;
using closeside::detail::last_sample;

class sound {
public:
    explicit sound(const close_policy& p, const close_manner& m = {}) : machine_(p, m) {}
    close_action start() { return machine_.start(); }
    close_action step(close_event e, close_duration now) { return machine_.step(e, now); }
    close_action looked(const connection_look& l, close_duration now) { return machine_.looked(l, now); }
    void sampled(const last_sample& s) { machine_.sampled(s); }
    void fin_unacknowledged() { machine_.fin_unacknowledged(); }
    close_action released() { return machine_.released(); }
    bool finished() const { return machine_.finished(); }
    close_report report() const { return machine_.report(); }
    auto error(const close_report& r) const { return machine_.error(r); }

protected:
    using action = close_action::kind;
    using event = close_event::kind;
    static bool waits(const close_action& a) { return !a.is_call() && a.what != action::done; }

    close_machine machine_;
};

/// Takes the first bytes for the end of what the peer sends, as a close does that reads once and no more.
struct stops_after_one_read : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        const close_action next = machine_.step(e, now);
        const bool goes_on = next.what == action::receive || waits(next);
        return e.what == event::received && goes_on ? machine_.step({event::end_of_file}, now) : next;
    }
};

struct ignores_limits : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        if (e.what == event::timer) return {action::wait_readable, 1, close_duration{now.count + 60'000}};
        return machine_.step(e, now);
    }
};

struct forgets_the_fin : sound {
    using sound::sound;
    close_action start() { return without_half_close(machine_.start(), {}); }
    close_action step(close_event e, close_duration now) { return without_half_close(machine_.step(e, now), now); }

private:
    close_action without_half_close(const close_action& a, close_duration now) {
        using state = closeside::detail::tcp_state;
        if (a.what != action::half_close) return a;
        return machine_.step({.what = event::half_closed, .before = state::established, .after = state::fin_wait1},
                             now);
    }
};

/// Sees the peer's FIN and does not answer it with ours.
struct ignores_end_of_file : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        if (e.what == event::end_of_file) return {action::wait_readable, 1, close_duration{now.count + 1}};
        return machine_.step(e, now);
    }
};

struct ignores_cancellation : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        if (e.what == event::cancelled) return {action::wait_readable, 1, close_duration{now.count + 1}};
        return machine_.step(e, now);
    }
};

struct ignores_the_quota : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) { return more(machine_.step(e, now)); }
    close_action looked(const connection_look& l, close_duration now) { return more(machine_.looked(l, now)); }

private:
    static close_action more(close_action next) {
        if (next.what == action::receive && next.bytes == close_machine::quota) next.bytes *= 4;
        return next;
    }
};

struct ignores_drain_bytes : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) { return reads(machine_.step(e, now)); }
    close_action looked(const connection_look& l, close_duration now) { return reads(machine_.looked(l, now)); }

private:
    static close_action reads(close_action next) {
        return next.what == action::peek ? close_action{action::receive, 1} : next;
    }
};

struct acts_after_completion : sound {
    using sound::sound;
    close_action released() {
        machine_.released();
        return {action::receive, 1};
    }
};

struct swaps_time_wait : sound {
    using sound::sound;
    close_report report() const {
        using holder = closeside::time_wait_holder;
        close_report r = machine_.report();
        if (r.time_wait == holder::local || r.time_wait == holder::peer)
            r.time_wait = r.time_wait == holder::local ? holder::peer : holder::local;
        return r;
    }
};

struct leaves_nothing_to_the_kernel : sound {
    using sound::sound;
    close_report report() const {
        close_report r = machine_.report();
        if (r.time_wait == closeside::time_wait_holder::left_to_kernel)
            r.time_wait = closeside::time_wait_holder::local;
        return r;
    }
};

struct claims_the_first_fin : sound {
    using sound::sound;
    close_report report() const {
        close_report r = machine_.report();
        if (r.first_fin == closeside::fin_sender::peer) r.first_fin = closeside::fin_sender::local;
        return r;
    }
};

struct hides_resets : sound {
    using sound::sound;
    close_report report() const {
        close_report r = machine_.report();
        if (r.ended_by == closeside::ending::reset_by_peer) r.ended_by = closeside::ending::fin;
        return r;
    }
};

struct knows_nothing : sound {
    using sound::sound;
    close_report report() const {
        close_report r = machine_.report();
        r.ended_by = closeside::ending::unknown;
        r.first_fin = closeside::fin_sender::unknown;
        r.time_wait = closeside::time_wait_holder::unknown;
        return r;
    }
};

struct hides_what_is_unacknowledged : sound {
    using sound::sound;
    close_report report() const {
        close_report r = machine_.report();
        r.unacknowledged = 0;
        return r;
    }
};

struct closes_instead_of_aborting : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        const close_action next = machine_.step(e, now);
        return next.what == action::abort ? close_action{action::close} : next;
    }
};

} // namespace model::mutants

#endif
