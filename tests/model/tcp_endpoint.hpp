// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_TCP_ENDPOINT_HPP
#define CLOSESIDE_TESTS_MODEL_TCP_ENDPOINT_HPP

#include "segment.hpp"

#include <closeside/detail/kernel/tcp_state.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace model {

using closeside::detail::tcp_state;

/// One end of a connection as RFC 9293 has it, with Linux's rules for RST; from ESTABLISHED on.
/** `state` is what the wire meets: time_wait, or fin_wait2 of an orphan, stand for the mini-socket. The functions in
 *  brackets are the kernel's. */
struct tcp_endpoint {
    static constexpr std::uint8_t never = 0xff;

    tcp_state state = tcp_state::established;
    std::uint8_t acknowledged = 0; ///< SND.UNA
    std::uint8_t sent = 0;         ///< SND.NXT
    std::uint8_t written = 0;      ///< what the program has written, without the FIN
    std::uint8_t expected = 0;     ///< RCV.NXT
    std::uint8_t early = 0;        ///< arrived out of order: a bit for each number
    std::uint8_t peer_fin = never; ///< the number of the peer's FIN, once seen
    std::uint8_t error = 0;        ///< sk_err
    std::uint8_t last_ack = 0;     ///< tcpi_last_ack_recv, as a tick: of more or not
    std::uint8_t last_sent = 0;    ///< tcpi_last_data_sent, retransmissions included
    std::uint8_t last_input = 0;   ///< tcpi_last_data_recv
    std::uint8_t notices = 0;      ///< entries in the error queue
    bool fin_written = false;
    bool fin_received = false; ///< SOCK_DONE: from now on a read gives 0 and never the error
    bool dead = false;         ///< tcp_done has been here: no read waits any more
    bool orphan = false;
    bool linger_zero = false;  ///< SO_LINGER{1,0}
    bool linger2_skip = false; ///< TCP_LINGER2 = -1
    bool passed_closing = false;
    bool passed_time_wait = false;
    std::uint32_t taken = 0; ///< bytes read by the program

    std::uint8_t arrived() const { return static_cast<std::uint8_t>(expected - (fin_received ? 1 : 0)); }
    std::uint32_t unread(std::uint32_t unit) const { return arrived() * unit - taken; }
    std::uint8_t write_end() const { return static_cast<std::uint8_t>(written + (fin_written ? 1 : 0)); }
    bool fin_acknowledged() const { return fin_written && acknowledged > written; }
    /// Segments more that a send queue of so many takes.
    std::uint8_t room(std::uint8_t buffer) const {
        const int used = written - std::min(acknowledged, written);
        return static_cast<std::uint8_t>(std::max(buffer - used, 0));
    }
    bool on_the_wire() const { return state != tcp_state::close; }
    /// What TCP_INFO says: the socket of a connection in TIME-WAIT has gone.
    tcp_state seen() const { return state == tcp_state::time_wait ? tcp_state::close : state; }
    bool may_send() const {
        return state == tcp_state::established || state == tcp_state::close_wait || state == tcp_state::fin_wait1 ||
               state == tcp_state::closing || state == tcp_state::last_ack;
    }
    bool has_unsent() const { return may_send() && sent < write_end(); }
    bool awaits_ack() const { return may_send() && acknowledged < sent; }
    bool all_acknowledged() const { return acknowledged >= written; }

    segment numbered(std::uint8_t number) const {
        return {number == written ? flag::fin : flag::data, number, expected};
    }
    segment send_next(std::uint8_t now) {
        if (sent < written) last_sent = now;
        return numbered(sent++);
    }
    segment resend(std::uint8_t now) {
        if (acknowledged < written) last_sent = now;
        return numbered(acknowledged);
    }

    /// tcp_done
    void end(tcp_state last) {
        state = last;
        dead = true;
        if (last == tcp_state::time_wait) passed_time_wait = true;
    }
    /// tcp_write_err: retransmission or keepalive gave up.
    void give_up() {
        error = ETIMEDOUT;
        end(tcp_state::close);
    }

    /// shutdown(SHUT_WR); an errno or 0.
    int half_close() {
        if (seen() == tcp_state::close) return ENOTCONN;
        send_fin();
        return 0;
    }

    /// close(2); true if it sends RST [__tcp_close, tcp_disconnect].
    bool close(std::uint32_t unit, channel& out) {
        orphan = true;
        if (seen() == tcp_state::close) return false;
        const bool aborts = linger_zero && reset_is_due();
        if (unread(unit) > 0 || aborts || (state == tcp_state::fin_wait2 && linger2_skip)) return reset_peer(out);
        if (linger_zero)
            end(tcp_state::close);
        else
            send_fin();
        return false;
    }

    /// connect(AF_UNSPEC); true if it sends RST [tcp_disconnect].
    bool disconnect(channel& out) {
        if (seen() == tcp_state::close) return false;
        if (reset_is_due()) return reset_peer(out);
        end(tcp_state::close);
        return false;
    }

    void receive(segment s, channel& out, std::uint8_t now) {
        if (state == tcp_state::close) {
            if (s.what != flag::rst) out.put({flag::rst, s.ack, 0});
        } else if (state == tcp_state::time_wait) {
            in_time_wait(s, out);
        } else if (state == tcp_state::fin_wait2 && orphan) {
            in_orphaned_fin_wait2(s, out);
        } else if (s.what == flag::rst) {
            on_reset(s, out);
        } else if (!take_ack(s, out, now)) {
            const std::uint8_t before = arrived();
            take_text(s, out);
            if (arrived() != before) last_input = now;
        }
    }

private:
    bool has_text(segment s) const { return s.what == flag::data || s.what == flag::fin; }
    void acknowledge(channel& out) const { out.put({flag::ack, 0, expected}); }

    void send_fin() {
        if (state == tcp_state::established)
            state = tcp_state::fin_wait1;
        else if (state == tcp_state::close_wait)
            state = tcp_state::last_ack;
        fin_written = true;
    }

    /// In CLOSING and LAST-ACK only what has not been sent once makes an abort send RST.
    bool reset_is_due() const {
        const bool both_fins = state == tcp_state::closing || state == tcp_state::last_ack;
        return !both_fins || sent != write_end();
    }

    bool reset_peer(channel& out) {
        out.put({flag::rst, sent, 0});
        end(tcp_state::close);
        return true;
    }

    /// A segment that has no business here is answered with RST, numbered by its acknowledgement [tcp_v4_send_reset].
    bool refuse(segment s, channel& out) {
        out.put({flag::rst, s.ack, 0});
        end(tcp_state::close);
        return true;
    }

    /// RFC 1337 (tcp_rfc1337 = 0): the exact RST ends TIME-WAIT.
    void in_time_wait(segment s, channel& out) {
        if (s.what == flag::rst && s.number == expected) state = tcp_state::close;
        if (has_text(s)) acknowledge(out);
    }

    /// tcp_timewait_state_process: after both directions are closed to us only the FIN may come.
    void in_orphaned_fin_wait2(segment s, channel& out) {
        if (s.what == flag::ack) return;
        if (s.number < expected) return acknowledge(out);
        if (s.what == flag::rst) return end(tcp_state::close);
        if (s.what != flag::fin || s.number != expected) return static_cast<void>(refuse(s, out));
        take_text(s, out);
    }

    /// RFC 5961: exact, or answered with a challenge.
    void on_reset(segment s, channel& out) {
        if (s.number > expected) acknowledge(out);
        if (s.number != expected) return;
        error = state == tcp_state::close_wait ? EPIPE : ECONNRESET;
        end(tcp_state::close);
    }

    /// True where the segment ends here [tcp_rcv_state_process].
    bool take_ack(segment s, channel& out, std::uint8_t now) {
        if (s.ack <= sent && s.ack >= acknowledged) last_ack = now;
        if (s.ack <= sent && s.ack > acknowledged) acknowledged = s.ack;
        const bool new_data = has_text(s) && (s.number > expected || (s.what == flag::data && s.number == expected));
        if (state == tcp_state::fin_wait1 && fin_acknowledged()) {
            state = tcp_state::fin_wait2;
            if (orphan && linger2_skip) return refuse(s, out);
        } else if (state == tcp_state::closing && fin_acknowledged()) {
            end(tcp_state::time_wait);
        } else if (state == tcp_state::last_ack && fin_acknowledged()) {
            end(tcp_state::close);
            return true;
        }
        // Nobody is left to read it.
        if (orphan && new_data) return refuse(s, out);
        return false;
    }

    void take_text(segment s, channel& out) {
        if (!has_text(s)) return;
        if (s.what == flag::fin) peer_fin = s.number;
        if (s.number >= expected) early = static_cast<std::uint8_t>(early | 1u << s.number);
        while ((early >> expected & 1u) != 0) {
            early = static_cast<std::uint8_t>(early & ~(1u << expected));
            if (expected++ == peer_fin) take_fin();
        }
        acknowledge(out);
    }

    /// tcp_fin
    void take_fin() {
        fin_received = true;
        if (state == tcp_state::established) {
            state = tcp_state::close_wait;
        } else if (state == tcp_state::fin_wait1) {
            state = tcp_state::closing;
            passed_closing = true;
        } else if (state == tcp_state::fin_wait2) {
            end(tcp_state::time_wait);
        }
    }
};

} // namespace model

#endif
