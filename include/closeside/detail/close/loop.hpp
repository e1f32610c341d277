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
          peer_first_(policy.closes_first == side::peer), told_(manner.told), linger_is_set_(manner.linger_is_set) {}

    close_action start() noexcept { return machine_.start(); }
    close_action step(const close_event& e, milliseconds now) noexcept { return machine_.step(noted(e), now); }

    /// One action that is not a wait; `release()` is to close the descriptor.
    template <class Release>
    close_action call(int fd, const close_action& a, milliseconds now, Release&& release) noexcept {
        return step(carry_out(fd, a, release), now);
    }

    /// To be asked before a wait of its kind (close_action::waits_for_change): the wait, or what follows it.
    close_action unless_changed(int fd, const close_action& wait, milliseconds now) noexcept {
        const bool acks = wait.what == close_action::kind::wait_acked;
        const close_event e = acks ? Calls::check_acked(fd) : Calls::check_fin(fd);
        return e.what == close_event::kind::would_block ? wait : step(e, now);
    }

    /// RST, without SO_LINGER where that can be: it would stay on a socket that others hold as well.
    static void reset(int fd) noexcept {
        if (!Calls::disconnect(fd)) Calls::set_linger(fd, true);
    }

    /// What is asked of the kernel for a report alone is not asked; report() and outcome() mean nothing then.
    bool told() const noexcept { return told_; }
    void look_for_multipath() noexcept { may_be_multipath_ = true; }

    int error() const noexcept { return errno_; }
    close_report report() const noexcept { return machine_.report(); }
    close_outcome outcome() const noexcept { return machine_.outcome(); }
    const Machine& machine() const noexcept { return machine_; }

private:
    using action = close_action::kind;
    using event = close_event::kind;

    template <class Release>
    close_event carry_out(int fd, const close_action& a, Release& release) noexcept {
        switch (a.what) {
        case action::half_close: {
            close_event e = Calls::half_close(fd, told_ && !no_fin_yet_, told_);
            if (e.reading_shut && is_multipath(fd)) e.reading_shut = false;
            return e;
        }
        case action::receive: return received(fd, Calls::receive(fd, a.bytes));
        case action::peek: return received(fd, Calls::peek(fd));
        case action::send: return Calls::send(fd, last_bytes_ - a.bytes, a.bytes);
        case action::look: return Calls::look(fd, our_fin_, peer_first_ && !our_fin_, a.bytes != 0);
        case action::look_state: return {.what = event::state, .after = state_at_eof(fd)};
        case action::look_unacknowledged:
            return {.what = event::unacknowledged, .bytes = Calls::unacknowledged(fd, our_fin_)};
        default: break;
        }
        const bool abort = a.what == action::abort;
        const last_sample last = told_ ? sample(fd, abort) : last_sample{};
        if (last.failure != 0) errno_ = last.failure;
        if (last.reset) errno_ = ECONNRESET;
        if (abort && !linger_is_set_) reset(fd);
        release();
        return {.what = event::released, .last = last};
    }

    close_event received(int fd, const close_event& e) noexcept {
        // A wake-up that brings nothing is one for the error queue.
        if (std::exchange(woken_, false) && e.what == event::would_block) Calls::empty_error_queue(fd);
        if (e.what != event::failed) return e;
        // Under IP_RECVERR a read tells of what an ICMP message says, and the connection lives on.
        const int error = errno;
        if (is_alive(Calls::state(fd))) return {event::would_block};
        errno = error;
        return e;
    }

    static bool is_alive(tcp_state s) noexcept { return s != tcp_state::close && s != tcp_state::unknown; }

    last_sample sample(int fd, bool abort) noexcept {
        last_sample s = Calls::sample(fd, our_fin_, at_eof_, abort);
        s.multipath = is_multipath(fd);
        // SIOCINQ counts its FIN as a byte.
        if (s.multipath && s.unread) s.unread = Calls::peek(fd).what == event::received;
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

    const close_event& noted(const close_event& e) noexcept {
        no_fin_yet_ = e.what == event::would_block;
        switch (e.what) {
        case event::readable: woken_ = true; break;
        case event::half_closed:
            our_fin_ = true;
            if (e.reading_shut) blind_ = true;
            break;
        case event::end_of_file: at_eof_ = !blind_; break;
        case event::state: state_is(e.after); break;
        case event::reset:
        case event::failed:
            errno_ = errno;
            at_eof_ = false; // the look that told of it has taken the error, which must not pass for an orderly end
            break;
        default: break;
        }
        return e;
    }

    void state_is(tcp_state s) noexcept {
        const bool both = s == tcp_state::closing || s == tcp_state::last_ack;
        if (both || s == tcp_state::fin_wait1 || s == tcp_state::fin_wait2) our_fin_ = true;
        at_eof_ = both || s == tcp_state::close_wait || s == tcp_state::unknown;
        blind_ = !at_eof_ && s != tcp_state::close;
    }

    Machine machine_;
    const char* last_bytes_; ///< their end
    int errno_ = 0;
    bool peer_first_;
    bool told_;
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
