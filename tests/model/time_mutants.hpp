// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_TIME_MUTANTS_HPP
#define CLOSESIDE_TESTS_MODEL_TIME_MUTANTS_HPP

#include "mutants.hpp"

#include <algorithm>
#include <cstdint>

// The shipped machine with one thing wrong about time, input, or the last bytes.
namespace model::mutants {

/// Time runs while the reply is on its way, however well that goes.
struct ignores_progress : sound {
    using sound::sound;
    close_action looked(connection_look l, close_duration now) {
        l.unacknowledged = std::uint64_t{1} << 40;
        l.acked_ago = static_cast<std::uint32_t>(now.count);
        return machine_.looked(l, now);
    }
};

/// drain_idle runs while something is unacknowledged.
struct idles_too_early : sound {
    using sound::sound;
    close_action looked(connection_look l, close_duration now) {
        l.unacknowledged = 0;
        return machine_.looked(l, now);
    }
};

/// Every look seems to show progress, a silent peer's too.
struct never_ends : sound {
    using sound::sound;
    close_action looked(connection_look l, close_duration now) {
        l.unacknowledged = --left_;
        l.acked_ago = 0;
        return machine_.looked(l, now);
    }

private:
    std::uint64_t left_ = 1000;
};

/// Wakes up twice as often as there is something to look at.
struct polls : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        const bool too_early = e.what == event::timer && now < until_;
        return often(too_early ? close_action{action::wait_readable, 1, until_} : machine_.step(e, now), now);
    }
    close_action looked(const connection_look& l, close_duration now) { return often(machine_.looked(l, now), now); }

private:
    close_action often(close_action next, close_duration now) {
        if (!waits(next)) return next;
        until_ = next.until;
        next.until = std::min(next.until, close_duration{now.count + 1});
        return next;
    }

    close_duration until_{};
};

/// close(2) when patience is over, without our FIN and the drain.
struct does_not_drain_after_patience : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        const close_action next = machine_.step(e, now);
        const bool patience = machine_.report().limit == closeside::close_limit::patience;
        return next.what == action::half_close && patience ? close_action{action::close} : next;
    }
};

struct resets_when_cancelled : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        return e.what == event::cancelled ? close_action{action::abort} : machine_.step(e, now);
    }
};

/// close(2) without a look at the receive queue.
struct leaves_input_when_cancelled : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        return e.what == event::cancelled ? close_action{action::close} : machine_.step(e, now);
    }
};

/// Waits out its patience though the peer asks for more.
struct ignores_input : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) { return patient(machine_.step(e, now)); }
    close_action looked(const connection_look& l, close_duration now) { return patient(machine_.looked(l, now)); }

private:
    close_action patient(close_action next) {
        if (next.what == action::wait_readable && first_until_ == close_duration{}) first_until_ = next.until;
        if (next.what == action::wait_readable) next.until = std::max(next.until, first_until_);
        return next;
    }

    close_duration first_until_{};
};

/// Takes what is there already for a request.
struct takes_old_input_for_a_request : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        if (e.what == event::received) input_ = true;
        return machine_.step(e, now);
    }
    close_action looked(const connection_look& l, close_duration now) {
        const close_action next = machine_.looked(l, now);
        if (!input_ || !waits(next)) return next;
        input_ = false;
        return machine_.step({.what = event::unacknowledged}, now);
    }

private:
    bool input_ = false;
};

/// Our FIN first, and then what was to come before it.
struct sends_behind_the_fin : sound {
    using sound::sound;
    close_action start() {
        send_ = machine_.start();
        return {action::half_close};
    }
    close_action step(close_event e, close_duration now) {
        return e.what == event::half_closed ? send_ : machine_.step(e, now);
    }

private:
    close_action send_{};
};

/// Says `sent` of last bytes of which there was room for a part.
struct truncates_in_silence : sound {
    using sound::sound;
    close_action start() {
        const close_action first = machine_.start();
        bytes_ = first.bytes;
        return first;
    }
    close_action step(close_event e, close_duration now) {
        if (e.what == event::sent) e.bytes = bytes_;
        return machine_.step(e, now);
    }

private:
    std::uint64_t bytes_ = 0;
};

/// Drops the last bytes where there is no room at once.
struct does_not_wait_for_room : sound {
    using sound::sound;
    close_action step(close_event e, close_duration now) {
        const close_action next = machine_.step(e, now);
        return next.what == action::wait_writable ? machine_.step({event::cannot_send}, now) : next;
    }
};

} // namespace model::mutants

#endif
