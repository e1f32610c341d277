// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_LOOP_HPP
#define CLOSESIDE_DETAIL_CLOSE_LOOP_HPP

#include <closeside/detail/close/machine.hpp>
#include <closeside/detail/kernel/tcp_socket.hpp>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace closeside::detail {

/// The closing machine on a descriptor: carries out its actions by system calls, one after the other, up to a wait.
/** The model check runs this very class on a modelled kernel, hence the parameters. */
template <class Machine = close_machine, class Calls = tcp_socket>
class close_loop {
public:
    /// `last_bytes`: manner.last_bytes of them, which must stay until they are sent.
    explicit close_loop(const close_policy& policy, const close_manner& manner = {},
                        const void* last_bytes = nullptr) noexcept
        : machine_(policy, manner), last_bytes_(static_cast<const char*>(last_bytes) + manner.last_bytes),
          peer_first_(policy.closes_first == side::peer), wants_report_(manner.wants_report),
          linger_is_set_(manner.linger_is_set) {}

    close_action start() noexcept { return machine_.start(); }
    close_action step(close_event e, close_duration now) noexcept {
        no_fin_yet_ = false;
        woken_ = e.what == event::readable;
        return machine_.step(e, now);
    }

    /// One action that is not a wait; `release()` is to close the descriptor.
    template <class Release>
    close_action call(int fd, close_action a, close_duration now, Release&& release) noexcept {
        const bool no_fin_yet = std::exchange(no_fin_yet_, false);
        switch (a.what) {
        case action::half_close: return half_close(fd, wants_report_ && !no_fin_yet, now);
        case action::receive: return received(fd, Calls::receive(fd, a.bytes), now);
        case action::peek: return received(fd, Calls::peek(fd), now);
        case action::send: return send(fd, a.bytes, now);
        case action::look:
            return machine_.looked(Calls::look(fd, our_fin_, peer_first_ && !our_fin_, a.bytes != 0), now);
        case action::look_state: return state_is(state_at_eof(fd), now);
        case action::look_unacknowledged:
            return machine_.step({.what = event::unacknowledged, .bytes = Calls::unacknowledged(fd, our_fin_)}, now);
        default: return released(fd, a.what == action::abort, release);
        }
    }

    /// To be asked before a wait of its kind (close_action::waits_for_change): the wait, or what follows it.
    close_action unless_changed(int fd, close_action wait, close_duration now) noexcept {
        if (wait.what == action::wait_acked) {
            const int error = Calls::check_acked(fd);
            if (error == EAGAIN) {
                if (at_eof_) machine_.fin_unacknowledged();
                return wait;
            }
            return error == 0 ? machine_.step({event::acked}, now) : ended(error, now);
        }
        const tcp_state s = Calls::state(fd);
        return Calls::is_before_fin(s) ? wait : state_is(s, now);
    }

    /// RST, without SO_LINGER if that can be: it would stay on a socket that others hold as well.
    static void reset(int fd) noexcept {
        if (!Calls::disconnect(fd)) Calls::set_linger(fd, true);
    }

    /// If not, what is asked of the kernel for a report alone is not asked, and report() and error() mean nothing.
    bool wants_report() const noexcept { return wants_report_; }
    /// Can close(2) leave an orphan in FIN-WAIT-2? Not once the peer's FIN is in.
    bool can_leave_orphan() const noexcept { return !at_eof_; }
    void look_for_multipath() noexcept { may_be_multipath_ = true; }

    close_report report() const noexcept { return machine_.report(); }
    /// … but for this one, of what is known all the same.
    close_report report_unseen() const noexcept { return machine_.report_unseen(may_be_multipath_); }
    close_error error(const close_report& r) const noexcept { return machine_.error(r); }
    const Machine& machine() const noexcept { return machine_; }

private:
    using action = close_action::kind;
    using event = close_event::kind;

    template <class Release>
    close_action released(int fd, bool abort, Release& release) noexcept {
        if (wants_report_) machine_.sampled(sample(fd, abort));
        if (abort && !linger_is_set_) reset(fd);
        release();
        return machine_.released();
    }

    close_action half_close(int fd, bool look_before, close_duration now) noexcept {
        const half_close_answer a = Calls::half_close(fd, look_before, wants_report_);
        if (a.gone) return machine_.step({event::gone}, now);
        if (a.error != 0) return ended(a.error, now);
        our_fin_ = true;
        const bool reading_shut = a.reading_shut && !is_multipath(fd);
        if (reading_shut) blind_ = true;
        return machine_.step(
            {.what = event::half_closed, .before = a.before, .after = a.after, .reading_shut = reading_shut}, now);
    }

    close_action received(int fd, long n, close_duration now) noexcept {
        const bool woken = std::exchange(woken_, false);
        if (n > 0) return machine_.step({.what = event::received, .bytes = static_cast<std::uint64_t>(n)}, now);
        if (n == 0) {
            at_eof_ = !blind_;
            return machine_.step({event::end_of_file}, now);
        }
        const int error = static_cast<int>(-n);
        if (error == EAGAIN) {
            // A wake-up that brings nothing is one for the error queue.
            if (woken) Calls::empty_error_queue(fd);
        } else if (!is_only_told(fd, error)) {
            return ended(error, now);
        }
        no_fin_yet_ = true;
        return machine_.step({event::would_block}, now);
    }

    /// Under IP_RECVERR a read tells of what an ICMP message says, and the connection lives on.
    static bool is_only_told(int fd, int error) noexcept {
        return event_of_error(error).what == event::failed && is_alive(Calls::state(fd));
    }

    /// send(2) takes a pending EPIPE off the socket, and answers a FIN of ours with the same.
    close_action send(int fd, std::uint32_t bytes, close_duration now) noexcept {
        if (const int error = wants_report_ ? Calls::take_error(fd) : 0; error != 0 && !is_only_told(fd, error))
            return ended(error, now);
        return sent(Calls::send(fd, last_bytes_ - bytes, bytes), now);
    }

    close_action sent(long n, close_duration now) noexcept {
        if (n >= 0) return machine_.step({.what = event::sent, .bytes = static_cast<std::uint64_t>(n)}, now);
        return n == -EPIPE ? machine_.step({event::cannot_send}, now) : ended(static_cast<int>(-n), now);
    }

    /// The call that told of it has taken the error, so that the end of file behind it must not pass for an orderly one.
    close_action ended(int error, close_duration now) noexcept {
        at_eof_ = false;
        return machine_.step(event_of_error(error), now);
    }

    static bool is_alive(tcp_state s) noexcept { return s != tcp_state::close && s != tcp_state::unknown; }

    last_sample sample(int fd, bool abort) noexcept {
        last_sample s = Calls::sample(fd, our_fin_, at_eof_, abort);
        s.multipath = is_multipath(fd);
        // SIOCINQ counts its FIN as a byte.
        if (s.multipath && s.unread) s.unread = Calls::peek(fd) > 0;
        // A socket in CLOSE does not tell of the peer's FIN there, but of what has been acknowledged.
        const bool silent = s.multipath && our_fin_ && s.state == tcp_state::close && !s.reset && s.failure == 0;
        if (silent && Calls::all_acknowledged(fd)) s.left = last_sample::remains::acked;
        return s;
    }

    /// A subflow is ESTABLISHED still, so that there every end of file but a dead one has to pass for the peer's FIN.
    tcp_state state_at_eof(int fd) const noexcept {
        const tcp_state s = Calls::state(fd);
        return s != tcp_state::close && is_multipath(fd) ? tcp_state::close_wait : s;
    }

    bool is_multipath(int fd) const noexcept { return may_be_multipath_ && Calls::is_multipath(fd); }

    close_action state_is(tcp_state s, close_duration now) noexcept {
        const bool both = s == tcp_state::closing || s == tcp_state::last_ack;
        if (both || s == tcp_state::fin_wait1 || s == tcp_state::fin_wait2) our_fin_ = true;
        at_eof_ = both || s == tcp_state::close_wait || s == tcp_state::unknown;
        blind_ = !at_eof_ && s != tcp_state::close;
        return machine_.step({.what = event::state, .after = s}, now);
    }

    Machine machine_;
    const char* last_bytes_; ///< their end
    bool peer_first_;
    bool wants_report_;
    bool linger_is_set_;
    bool may_be_multipath_ = false;
    bool our_fin_ = false;
    bool at_eof_ = false;     ///< the peer's FIN is in
    bool blind_ = false;      ///< the program has shut reading down, so that end of file does not say so
    bool no_fin_yet_ = false; ///< as the last look showed
    bool woken_ = false;      ///< by input, of which nothing has been read yet
};

} // namespace closeside::detail

#endif
