// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include <closeside/close_policy.hpp>
#include <closeside/detail/close/machine.hpp>
#include <closeside/report.hpp>

#include <algorithm>
#include <cerrno>
#include <limits>

// The closing machine, with any policy and any answer that its actions allow: what tests/model explores for a peer that
// keeps to TCP holds of its conduct whatever it is told.
namespace fuzz::close_machine {

using namespace closeside;
using namespace closeside::detail;
using action = close_action::kind;
using event = close_event::kind;

close_duration some_time(input& in) {
    switch (in.below(4)) {
    case 0: return close_duration{0};
    case 1: return close_duration{std::numeric_limits<std::int64_t>::max()};
    default: return close_duration{in.take<std::uint16_t>()};
    }
}

close_policy some_policy(input& in) {
    close_policy p;
    p.closes_first = in.flag() ? side::peer : side::local;
    p.patience = some_time(in);
    p.linger = {static_cast<lingering::mode>(in.below(3)), some_time(in)};
    p.linger2 = in.flag() ? fin_wait2::skip : fin_wait2::system;
    p.drain_time = some_time(in);
    p.drain_idle = some_time(in);
    p.drain_bytes = in.flag() ? unlimited : in.take<std::uint32_t>();
    p.on_limit = in.flag() ? limit_action::abort : limit_action::close;
    return p;
}

close_manner some_manner(input& in) {
    close_manner m;
    m.wants_report = in.flag();
    m.linger_is_set = in.flag();
    m.last_bytes = in.flag() ? in.take<std::uint16_t>() : 0;
    m.says_goodbye = in.flag();
    m.heard_goodbye = in.flag();
    return m;
}

tcp_state some_state(input& in) { return static_cast<tcp_state>(in.below(13)); }

last_sample some_sample(input& in) {
    last_sample s;
    s.state = some_state(in);
    s.left = static_cast<last_sample::remains>(in.below(5));
    s.unread = in.flag();
    s.unsent = in.flag();
    s.multipath = in.flag();
    s.reset = in.flag();
    s.reset_after_fin = in.flag();
    s.failure = in.flag() ? ETIMEDOUT : 0;
    s.unacknowledged = in.take<std::uint16_t>();
    return s;
}

/// Answers the machine's actions, and holds each against what it may ask for.
class driver {
public:
    driver(input& in) : in_(in), policy_(some_policy(in)), manner_(some_manner(in)), machine_(policy_, manner_) {}

    void run() {
        close_action a = machine_.start();
        judge(a);
        // Behind the end of the input a peer is silent, and the time runs: that has to come to an end.
        std::size_t silent = 0;
        while (!a.releases()) {
            constexpr std::size_t most = 64;
            if (in_.empty()) require(++silent < most, "a close with a silent peer comes to its end");
            a = a.is_call() ? call(a) : wait(a);
            judge(a);
        }
        release(a);
    }

private:
    close_action call(const close_action& a) {
        if (a.what == action::look) return look();
        return machine_.step(answer(a), now_);
    }

    close_event failure() {
        switch (in_.below(5)) {
        case 0: return event_of_error(ECONNRESET);
        case 1: return event_of_error(EPIPE);
        case 2: return event_of_error(ENOTCONN);
        case 3: return event_of_error(ETIMEDOUT);
        default: return event_of_error(EHOSTUNREACH);
        }
    }

    close_event answer(const close_action& a) {
        const bool more = !in_.empty();
        const std::size_t how = in_.below(8);
        switch (a.what) {
        case action::half_close: return half_closed(how);
        case action::receive:
        case action::peek: return more && how != 0 ? input_of(a, how) : close_event{event::would_block};
        case action::send:
            if (more && how > 5) return failure();
            if (more && how == 5) return {event::cannot_send};
            if (!more || how == 0) return {event::would_block};
            to_send_ -= std::max(1u, a.bytes / 2);
            return {.what = event::sent, .bytes = std::max(1u, a.bytes / 2)};
        case action::look_state: {
            const tcp_state s = more ? some_state(in_) : tcp_state::close_wait;
            learn(s);
            return {.what = event::state, .after = s};
        }
        default: return {.what = event::unacknowledged, .bytes = more ? in_.take<std::uint16_t>() : 0u};
        }
    }

    close_event half_closed(std::size_t how) {
        if (how == 7) return failure();
        if (how == 6) return {event::gone};
        half_closed_ = our_fin_ = true;
        const bool blind = how == 5;
        if (blind) blind_ = true;
        return {.what = event::half_closed, .before = some_state(in_), .after = some_state(in_), .reading_shut = blind};
    }

    close_event input_of(const close_action& a, std::size_t how) {
        if (how == 1) {
            end_of_file_ = !blind_;
            return {event::end_of_file};
        }
        if (how == 2) return failure();
        std::uint64_t bytes = how < 5 ? std::min<std::uint32_t>(a.bytes, in_.take<std::uint16_t>()) : a.bytes;
        if (a.what == action::peek) return {.what = event::received, .bytes = 1};
        bytes = std::max<std::uint64_t>(bytes, 1);
        taken_ += bytes;
        // What the last look takes is beside the quota.
        if (a.bytes != detail::close_machine::last_look) this_wake_up_ += bytes;
        return {.what = event::received, .bytes = bytes};
    }

    void learn(tcp_state s) {
        const bool alive = s == tcp_state::established || s == tcp_state::syn_received || s == tcp_state::fin_wait1 ||
                           s == tcp_state::fin_wait2;
        end_of_file_ = !alive && s != tcp_state::close && s != tcp_state::syn_sent;
        blind_ = alive;
        if (s == tcp_state::fin_wait1 || s == tcp_state::fin_wait2 || s == tcp_state::closing ||
            s == tcp_state::last_ack)
            our_fin_ = true;
    }

    close_action look() {
        connection_look l;
        l.state = tcp_state::established;
        l.acked_ago = l.sent_ago = l.input_ago = std::numeric_limits<std::uint32_t>::max();
        if (!in_.empty()) {
            l.state = some_state(in_);
            l.acked_ago = in_.take<std::uint16_t>();
            l.sent_ago = in_.take<std::uint16_t>();
            l.input_ago = in_.take<std::uint16_t>();
            l.unacknowledged = in_.take<std::uint16_t>();
        }
        return machine_.looked(l, now_);
    }

    close_action wait(const close_action& a) {
        this_wake_up_ = 0;
        constexpr auto never = std::numeric_limits<std::int64_t>::max();
        const std::size_t how = in_.empty() ? 0 : in_.below(5);
        if (how == 4 || (how == 0 && a.until.count == never)) {
            nobody_waits_ = true;
            return machine_.step({in_.flag() ? event::cancelled : event::shed}, now_);
        }
        if (how == 0) {
            now_ = std::max(now_, a.until);
            return machine_.step({event::timer}, now_);
        }
        const std::int64_t left = a.until.count - now_.count;
        if (left > 0) now_.count += std::min<std::int64_t>(left, in_.take<std::uint16_t>());
        return machine_.step(awaited(a), now_);
    }

    close_event awaited(const close_action& a) {
        switch (a.what) {
        case action::wait_readable: return {event::readable};
        case action::wait_writable: return {event::writable};
        case action::wait_acked: return in_.flag() ? close_event{event::acked} : failure();
        default: {
            const tcp_state s = some_state(in_);
            learn(s);
            return {.what = event::state, .after = s};
        }
        }
    }

    void judge(const close_action& a) {
        const bool last = a.what == action::receive && a.bytes == detail::close_machine::last_look;
        switch (a.what) {
        case action::receive:
            require(!end_of_file_, "nothing is read beyond the end of file");
            require(a.bytes != 0, "a read asks for something");
            if (last) break;
            require(this_wake_up_ + a.bytes <= detail::close_machine::quota, "a wake-up reads no more than its quota");
            require(taken_ + a.bytes <= policy_.drain_bytes, "no more is discarded than the policy allows");
            break;
        case action::peek: require(!end_of_file_, "nothing is peeked at beyond the end of file"); break;
        case action::half_close:
            require(!half_closed_, "our FIN is sent once");
            require(policy_.linger != lingering::abort, "an abort sends no FIN");
            break;
        case action::send:
            require(!half_closed_ && a.bytes != 0 && a.bytes == to_send_, "the last bytes go out before our FIN");
            break;
        case action::abort:
            require(policy_.linger == lingering::abort || policy_.on_limit == limit_action::abort,
                    "nothing but the policy aborts");
            break;
        case action::wait_acked: require(our_fin_, "no acknowledgement of a FIN is awaited that was not sent"); break;
        case action::wait_readable:
            require(!end_of_file_ && a.bytes != 0, "nobody waits for input behind the end of file");
            require(a.until > now_, "a wait has time left");
            break;
        case action::done: require(false, "a close is not done while its descriptor is open"); break;
        default: break;
        }
        if (!a.is_call()) require(!nobody_waits_, "a cancelled close waits no more");
    }

    void release(const close_action& how) {
        const bool aborts = how.what == action::abort;
        const last_sample sample = some_sample(in_);
        if (manner_.wants_report) machine_.sampled(sample);
        require(!machine_.finished(), "a close is not finished before its descriptor is closed");
        require(machine_.released() == close_action{}, "nothing follows the release");
        require(machine_.finished(), "a close is finished once its descriptor is closed");
        const close_report r = manner_.wants_report ? machine_.report() : machine_.report_unseen(in_.flag());
        require(r.discarded == taken_, "what is reported as discarded has been read");
        require(r.limit <= close_limit::shed && r.ended_by <= ending::unknown, "a report has values that exist");
        require(r.ended_by != ending::reset_by_us || r.time_wait == time_wait_holder::nobody,
                "who resets leaves no TIME-WAIT");
        if (manner_.wants_report) {
            const close_error e = machine_.error(r);
            require(!(e.ours != error{} && e.system != 0), "one error at most is told");
            require(e.system >= 0, "an error of the system is an errno");
        }
        if (aborts) require(r.time_wait != time_wait_holder::left_to_kernel, "an abort leaves nothing to the kernel");
    }

    input& in_;
    close_policy policy_;
    close_manner manner_;
    detail::close_machine machine_;
    close_duration now_{};
    std::uint64_t taken_ = 0;
    std::uint64_t this_wake_up_ = 0;
    std::uint32_t to_send_ = manner_.last_bytes;
    bool half_closed_ = false; ///< by this close; the program may have done so before, of which a state tells
    bool our_fin_ = false;
    bool end_of_file_ = false;
    bool blind_ = false;
    bool nobody_waits_ = false;
};

void run(input in) { driver(in).run(); }

const target here("close_machine", run);

} // namespace fuzz::close_machine
