// SPDX-License-Identifier: BSL-1.0
#include "follow_ending.hpp"

#include <cerrno>
#include <system_error>

namespace check::follow {

namespace {

constexpr std::array table{
    cause_facts{cause::closed_first, "closed_first", ender::fin, "this host closed first (FIN); the peer answered",
                "time-wait"},
    cause_facts{cause::closed_first_unkept, "closed_first_unkept", ender::fin,
                "this host closed first (FIN); the peer answered, and no TIME-WAIT is kept", "time-wait"},
    cause_facts{cause::closed_first_unseen, "closed_first_unseen", ender::fin,
                "this host closed first (FIN); whether the peer answered was not looked up", "fin-wait-2"},
    cause_facts{cause::closed_second, "closed_second", ender::fin, "the peer closed first (FIN); this host answered",
                "endings"},
    cause_facts{cause::closed_together, "closed_together", ender::fin,
                "both closed at once: each sent its FIN before it saw the other's", "time-wait"},
    cause_facts{cause::fin_wait2_time_out, "fin_wait2_time_out", ender::failed,
                "this host closed first (FIN); the peer did not close before the time of FIN-WAIT-2 was over",
                "fin-wait-2"},
    cause_facts{cause::fin_wait2_gone, "fin_wait2_gone", ender::unknown,
                "this host closed first (FIN); FIN-WAIT-2 ended before its time, or was not kept: most likely by a RST "
                "of the peer",
                "fin-wait-2"},
    cause_facts{cause::unread_input, "unread_input", ender::reset_by_us,
                "this host reset: it closed over input that nobody had read", "unread"},
    cause_facts{cause::late_data, "late_data", ender::reset_by_us, "this host reset: data came after it had closed",
                "late-data"},
    cause_facts{cause::abort_option, "abort_option", ender::reset_by_us,
                "this host reset: it aborted, by SO_LINGER {1, 0} or by a connect(2) to AF_UNSPEC", "linger"},
    cause_facts{cause::negative_linger2, "negative_linger2", ender::reset_by_us,
                "this host reset: it closed with TCP_LINGER2 below 0", "linger"},
    cause_facts{cause::ack_of_fin, "ack_of_fin", ender::reset_by_us,
                "this host reset when its FIN was acknowledged: data came with that, or TCP_LINGER2 is below 0",
                "late-data"},
    cause_facts{cause::listener_queue, "listener_queue", ender::reset_by_us,
                "this host reset: its listener was closed before the connection was accepted", "listener-queue"},
    cause_facts{cause::killed, "killed", ender::reset_by_us,
                "this host reset: the connection was ended from outside (ss -K, SOCK_DESTROY)", "endings"},
    cause_facts{cause::keepalive, "keepalive", ender::reset_by_us,
                "this host reset: the peer answered no keepalive probe", "time-out"},
    cause_facts{cause::out_of_memory, "out_of_memory", ender::reset_by_us,
                "this host reset: too many orphans, or too little memory for TCP", "tcp_max_orphans"},
    cause_facts{cause::bad_segment, "bad_segment", ender::reset_by_us,
                "this host reset: a segment came that does not fit the connection", "endings"},
    cause_facts{cause::reset, "reset", ender::reset_by_us, "this host reset", "endings"},
    cause_facts{cause::peer_reset_open, "peer_reset_open", ender::reset_by_peer, "the peer reset an open connection",
                "peer-reset"},
    cause_facts{cause::peer_reset_after_our_fin, "peer_reset_after_our_fin", ender::reset_by_peer,
                "the peer reset after this host had closed (FIN)", "peer-reset"},
    cause_facts{cause::peer_reset_after_our_close, "peer_reset_after_our_close", ender::reset_by_peer,
                "the peer reset after this host had closed, before it acknowledged all: whether the FIN was sent, "
                "behind the data, is not known",
                "peer-reset"},
    cause_facts{cause::peer_reset_after_its_fin, "peer_reset_after_its_fin", ender::reset_by_peer,
                "the peer reset after it had closed (FIN): what this host sent then was not wanted", "peer-reset"},
    cause_facts{cause::refused, "refused", ender::reset_by_peer, "the peer refused: it answered this host's SYN by RST",
                "refused"},
    cause_facts{cause::no_answer, "no_answer", ender::failed, "the peer did not answer this host's SYN", "refused"},
    cause_facts{cause::connect_failed, "connect_failed", ender::failed, "this host could not connect", "refused"},
    cause_facts{cause::no_local_port, "no_local_port", ender::failed,
                "this host had no local port free for it (EADDRNOTAVAIL): nothing was sent", "ip_local_port_range"},
    cause_facts{cause::connect_given_up, "connect_given_up", ender::failed,
                "this host gave up connecting before the peer answered", "refused"},
    cause_facts{cause::time_out, "time_out", ender::failed,
                "the peer acknowledged nothing any more: retransmissions or TCP_USER_TIMEOUT ran out", "time-out"},
    cause_facts{cause::fin_time_out, "fin_time_out", ender::failed,
                "the peer did not acknowledge all up to this host's FIN: retransmissions ran out", "time-out"},
    cause_facts{cause::network_error, "network_error", ender::failed, "the network reported an error", "time-out"},
    cause_facts{cause::unexplained, "unexplained", ender::unknown, "neither FIN nor RST was seen", "endings"},
    cause_facts{cause::untraced, "untraced", ender::unknown, "only the end of the socket was seen", "endings"},
};

constexpr bool is_in_order() {
    if (table.size() != cause_count) return false;
    for (std::size_t i = 0; i != table.size(); ++i)
        if (static_cast<std::size_t>(table[i].id) != i) return false;
    return true;
}
static_assert(is_in_order());

first_fin who_closed_first(const life& seen) {
    if (!seen.traced) return first_fin::unknown;
    const state_list& s = seen.states;
    if (s.has(tcp_state::closing)) return first_fin::both;
    if (s.has(tcp_state::close_wait) || s.has(tcp_state::last_ack)) return first_fin::peer;
    if (s.has(tcp_state::fin_wait2)) return first_fin::local;
    // The state begins with the call; the FIN is sent when all data before it is, and only its acknowledgement tells.
    return s.has(tcp_state::fin_wait1) ? first_fin::unknown : first_fin::none;
}

/// One segment acknowledged the FIN and was the end. Data that comes later is treated as a RST that is taken.
bool ended_with_the_ack_of_fin(const life& seen) {
    constexpr std::uint64_t at_once = 1'000'000; // ns
    return !seen.reset_taken && seen.fin_acked != 0 && seen.ended - seen.fin_acked < at_once;
}

cause why_reset(const life& seen) {
    const std::string_view r = seen.kernel_reason;
    if (seen.error == ECONNABORTED) return cause::killed;
    if (seen.listener_closed && (r.empty() || r == "TCP_STATE")) return cause::listener_queue;
    if (r.empty()) return cause::reset;
    if (r == "TCP_ABORT_ON_CLOSE") return cause::unread_input;
    if (r == "TCP_ABORT_ON_LINGER") return cause::negative_linger2;
    if (r == "TCP_ABORT_ON_DATA") return ended_with_the_ack_of_fin(seen) ? cause::ack_of_fin : cause::late_data;
    if (r == "TCP_TIMEWAIT_SOCKET") return cause::late_data;
    if (r == "TCP_STATE" || r == "TCP_DISCONNECT_WITH_DATA") return cause::abort_option;
    if (r == "TCP_KEEPALIVE_TIMEOUT") return cause::keepalive;
    if (r == "TCP_ABORT_ON_MEMORY") return cause::out_of_memory;
    if (r == "NOT_SPECIFIED") return cause::reset;
    return cause::bad_segment;
}

cause why_peer_reset(const life& seen) {
    const state_list& s = seen.states;
    if (s.last() == tcp_state::syn_sent) return cause::refused;
    if (s.has(tcp_state::fin_wait2) || s.has(tcp_state::closing)) return cause::peer_reset_after_our_fin;
    if (s.has(tcp_state::fin_wait1)) return cause::peer_reset_after_our_close;
    if (s.has(tcp_state::close_wait) || s.has(tcp_state::last_ack)) return cause::peer_reset_after_its_fin;
    return cause::peer_reset_open;
}

cause why_ended_in_fin_wait2(const life& seen) {
    if (seen.left_ran_out) return cause::fin_wait2_time_out;
    switch (seen.left) {
    case leftover::time_wait: return cause::closed_first;
    case leftover::fin_wait2: return cause::fin_wait2_gone;
    case leftover::used_anew: return cause::closed_first_unkept;
    // Of an orphan a RST of the peer leaves nothing either, and nothing tells of it.
    case leftover::nothing: return seen.orphan ? cause::fin_wait2_gone : cause::closed_first_unkept;
    case leftover::not_looked_up: break;
    }
    return cause::closed_first_unseen;
}

cause why_without_reset(const life& seen) {
    switch (seen.states.last()) {
    case tcp_state::syn_sent:
        if (seen.ends.local.port == 0) return cause::no_local_port;
        return seen.error == ETIMEDOUT ? cause::no_answer
               : seen.error != 0       ? cause::connect_failed
               : seen.gave_up          ? cause::no_answer
                                       : cause::connect_given_up;
    case tcp_state::fin_wait2: return why_ended_in_fin_wait2(seen);
    case tcp_state::fin_wait1: return cause::fin_time_out;
    case tcp_state::closing:
        return seen.gave_up && seen.left != leftover::time_wait ? cause::fin_time_out : cause::closed_together;
    case tcp_state::last_ack:
        return seen.gave_up || seen.error == ETIMEDOUT ? cause::fin_time_out : cause::closed_second;
    default: break;
    }
    if (seen.error == ECONNABORTED) return cause::killed;
    return seen.error == ETIMEDOUT ? cause::time_out : seen.error != 0 ? cause::network_error : cause::unexplained;
}

} // namespace

const char* to_string(ender e) noexcept {
    switch (e) {
    case ender::fin: return "fin";
    case ender::reset_by_us: return "reset_by_us";
    case ender::reset_by_peer: return "reset_by_peer";
    case ender::failed: return "failed";
    case ender::unknown: break;
    }
    return "unknown";
}

const char* to_string(first_fin f) noexcept {
    switch (f) {
    case first_fin::none: return nullptr;
    case first_fin::local: return "local";
    case first_fin::peer: return "peer";
    case first_fin::both: return "both";
    case first_fin::unknown: break;
    }
    return "unknown";
}

const cause_facts& facts(cause c) noexcept { return table[static_cast<std::size_t>(c)]; }

std::string ending::reason() const {
    std::string text(facts(why).words);
    const bool by_error = why == cause::connect_failed || why == cause::network_error;
    if (by_error && seen.error != 0) text += " (" + std::generic_category().message(seen.error) + ")";
    if (!seen.kernel_reason.empty()) text += " (" + std::string(seen.kernel_reason) + ")";
    if (why == cause::reset && seen.kernel_reason.empty()) text += " (the kernel gives no reason before Linux 6.10)";
    return text;
}

ending judge(const life& seen) {
    ending e{.seen = seen, .fin = who_closed_first(seen)};
    // The kernel treats data after shutdown(SHUT_RDWR) as it treats a RST, and then sends one: sending is what tells.
    e.why = !seen.traced       ? cause::untraced
            : seen.reset_sent  ? why_reset(seen)
            : seen.reset_taken ? why_peer_reset(seen)
                               : why_without_reset(seen);
    if (!seen.reset_sent) e.seen.kernel_reason = {};
    if (e.seen.left == leftover::time_wait) e.seen.states.push(tcp_state::time_wait);
    return e;
}

} // namespace check::follow
