// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::counter;

constexpr std::string_view always = "every kernel since 3.10";

constexpr std::array texts{
    counter_text{counter::paws_passive,
                 "tcp_tw_recycle dropped a SYN, because its timestamp was older than the last one from the same "
                 "address, or because it had none.",
                 "up to Linux 4.11"},
    counter_text{counter::paws_active, "An answer to this host's SYN echoed a timestamp that this host had not sent.",
                 always},
    counter_text{counter::paws_estab,
                 "A segment with an old timestamp was refused by a connection; up to Linux 6.15 also by a TIME-WAIT.",
                 always},
    counter_text{counter::paws_timewait,
                 "A TIME-WAIT refused a segment, most often a SYN, for its old timestamp: a port was used again by a "
                 "host whose clock is behind.",
                 "Linux 6.16"},
    counter_text{counter::paws_old_ack,
                 "An ACK without data had an old timestamp: one that was overtaken on its way. Benign.", "Linux 6.14"},
    counter_text{counter::tsecr_rejected, "The last ACK of a handshake echoed a timestamp that this host had not sent.",
                 "Linux 6.15"},
    counter_text{counter::tw,
                 "A mini-socket with a limit above 4 s: a TIME-WAIT, or an orphan in FIN-WAIT-2. Counted when it "
                 "begins; up to Linux 5.17 when its time is over, so 60 s late and not at all if it ended sooner.",
                 always},
    counter_text{
        counter::tw_recycled,
        "An outgoing connection took over a TIME-WAIT of this host, by tcp_tw_reuse or because its port was bound.",
        always},
    counter_text{
        counter::tw_killed,
        "A mini-socket with a limit of 4 s or less, because TCP_LINGER2 or tcp_fin_timeout is that small; up to "
        "Linux 4.11 also a TIME-WAIT that tcp_tw_recycle cut to 3.5 times the retransmission time-out. Nothing "
        "was killed. Counted when it begins; up to Linux 5.17 when its time is over.",
        "in this meaning Linux 4.1"}, // commit 789f558cfb36
    counter_text{counter::tw_overflow,
                 "A connection closed without a TIME-WAIT, or an orphan without a FIN-WAIT-2, because "
                 "tcp_max_tw_buckets was reached or memory was short.",
                 always},
    counter_text{counter::ack_skipped_time_wait,
                 "A TIME-WAIT did not answer a segment that it refused, because it had answered one less than "
                 "tcp_invalid_ratelimit before.",
                 "Linux 4.4 or before"},
    counter_text{counter::ack_skipped_fin_wait2, "The same for an orphan in FIN-WAIT-2.", "Linux 4.4 or before"},
    counter_text{counter::listen_overflows, "A SYN, or the last ACK of a handshake, found the accept queue full.",
                 always},
    counter_text{counter::listen_drops,
                 "A listener dropped a SYN or a finished handshake, for whatever reason; contains ListenOverflows.",
                 always},
    counter_text{counter::req_q_full_do_cookies, "A SYN found the SYN queue full and was answered with a cookie.",
                 always},
    counter_text{counter::req_q_full_drop,
                 "A SYN found the SYN queue full and was dropped, because tcp_syncookies is 0.", always},
    counter_text{counter::syncookies_sent, "A SYN was answered with a cookie.", always},
    counter_text{counter::syncookies_failed,
                 "An ACK brought a cookie back that is not one of this host's, or is too old.", always},
    counter_text{
        counter::embryonic_rsts,
        "A handshake ended by RST before it was done: the client's, or with tcp_abort_on_overflow this host's.",
        always},
    counter_text{counter::abort_on_close, "close() sent RST, because received data had not been read.", always},
    counter_text{counter::abort_on_data,
                 "RST, because data would be lost: close() with SO_LINGER {1, 0}, data that arrives for an orphan "
                 "before its FIN is acknowledged, or a FIN acknowledged with TCP_LINGER2 below 0.",
                 always},
    counter_text{counter::abort_on_linger, "close() in FIN-WAIT-2 sent RST, because TCP_LINGER2 is below 0.", always},
    counter_text{
        counter::abort_on_memory,
        "An orphan was reset, because there were more than tcp_max_orphans or more memory in use than tcp_mem allows.",
        always},
    counter_text{counter::abort_on_timeout,
                 "A connection was given up: retransmissions, keepalive probes or TCP_USER_TIMEOUT ran out.", always},
    counter_text{counter::abort_failed, "A RST was due and could not be sent, for want of memory.", always},
    counter_text{counter::active_opens, "connect() sent a SYN.", always},
    counter_text{counter::passive_opens, "A handshake with a listener was completed.", always},
    counter_text{counter::attempt_fails, "A connection ended in SYN-SENT or SYN-RECEIVED.", always},
    counter_text{counter::estab_resets,
                 "A connection ended from ESTABLISHED or CLOSE-WAIT without a closing handshake; aborts in FIN-WAIT do "
                 "not count.",
                 always},
    counter_text{counter::out_rsts, "A RST was sent, for whatever reason.", always},
};

} // namespace

std::span<const counter_text> counter_texts() noexcept { return texts; }

} // namespace check
