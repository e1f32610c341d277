// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

constexpr std::array endings{
    labelled_text{"fin", "In order: each side sends FIN when it has no more to send. Who sends it first passes through "
                         "FIN-WAIT-1 and FIN-WAIT-2 and keeps the TIME-WAIT; who sends it second passes through "
                         "CLOSE-WAIT and LAST-ACK and keeps nothing. If both send it before they see the other's, both "
                         "pass through CLOSING and keep a TIME-WAIT."},
    labelled_text{"reset", "By RST: at once and from any state, without TIME-WAIT. What is queued on the side that "
                           "sends it is lost, and what is on its way to the other side can be: many systems throw "
                           "away what the program has not read yet. `closeside-check explain unread`, late-data, "
                           "linger, listener-queue and peer-reset tell of the reasons."},
    labelled_text{"failed",
                  "By time: a FIN, data or a keepalive probe is not acknowledged however often it is sent, or "
                  "the peer never sends its FIN to an orphan (explain time-out, fin-wait-2)."},
    labelled_text{"killed", "`ss -K`, and whoever else asks sock_diag to destroy a socket: RST to the peer, and "
                            "ECONNABORTED for the program."},
    labelled_text{"segment", "A RST can answer a segment that does not fit the connection. The kernel's name of the "
                             "reason stands behind such an ending; INVALID_SYN and the like point to somebody who "
                             "guesses, or to a middlebox that has mixed up two connections."},
    labelled_text{"unknown", "Neither FIN nor RST was seen: the trace lost records, or there was none to look at. A "
                             "socket that the kernel itself owns, of NFS for instance, is not told of at all."},
    labelled_text{"once", "A connection with both ends on this host ends twice, once for each: what the one end calls "
                          "reset_by_us is reset_by_peer for the other."},
    labelled_text{"source", "RFC 9293, 3.6 and 3.10; Linux net/ipv4/tcp.c: tcp_set_state, __tcp_close; the events "
                            "sock:inet_sock_set_state, tcp:tcp_send_reset, tcp:tcp_receive_reset; measured on 6.18"},
};

constexpr std::array time_out{
    labelled_text{"data", "Data that is not acknowledged is sent again, each time after twice as long, until "
                          "tcp_retries2 (15: some 15 minutes) or TCP_USER_TIMEOUT is over. The program is told "
                          "ETIMEDOUT, the peer nothing: there is no RST."},
    labelled_text{"fin", "Once the descriptor is closed tcp_orphan_retries counts instead (0 means 8: some 100 s). In "
                         "FIN-WAIT-1, CLOSING and LAST-ACK the FIN is what is sent again. Nobody is told, since nobody "
                         "holds the socket."},
    labelled_text{"idle", "A connection on which nothing is sent never times out. Keepalive is for it: SO_KEEPALIVE, "
                          "and tcp_keepalive_time, 2 hours, before the first probe. When no probe is answered this "
                          "host sends RST."},
    labelled_text{"why", "The peer has crashed or is cut off, or a NAT, balancer or firewall on the way has forgotten "
                         "the connection and drops what it does not know."},
    labelled_text{"do", "Give the program a limit of its own, TCP_USER_TIMEOUT or one for each answer, and let "
                        "keepalive probes come more often than the limit of what is between (many balancers: 60 to "
                        "350 s). `closeside-check explain tcp_retries2` and tcp_orphan_retries say what the keys do."},
    labelled_text{"source", "Linux net/ipv4/tcp_timer.c: tcp_write_timeout, tcp_keepalive_timer; tcp(7)"},
};

constexpr std::array refused{
    labelled_text{"refused", "RST answers this host's SYN: ECONNREFUSED. Nobody listens on that port and address, or a "
                             "firewall refuses in their name. From the peer's side there was no connection."},
    labelled_text{"silence", "No answer at all: the SYN is sent again after 1 s, 2 s, 4 s and so on, tcp_syn_retries "
                             "times (6: about 2 minutes), then ETIMEDOUT. A firewall drops, an address is not in use, "
                             "or the peer's queues are full: a SYN that finds them full is dropped in silence."},
    labelled_text{"error", "A router or this host's own routing table says that there is no way: EHOSTUNREACH, "
                           "ENETUNREACH."},
    labelled_text{"given up",
                  "The program has closed the socket before there was an answer: its own limit for connecting "
                  "was shorter."},
    labelled_text{"do", "Look on the peer: `closeside-check states --port N` counts a listener there, ListenOverflows "
                        "and ListenDrops tell of full queues. A connect that hangs though the peer is well: "
                        "closeside-check explain takeover."},
    labelled_text{"source", "RFC 9293, 3.10.7; Linux net/ipv4/tcp_input.c: tcp_rcv_synsent_state_process; connect(2)"},
};

} // namespace

const topic_text& topic_endings() noexcept {
    static constexpr topic_text topic{"endings", "How a TCP connection ends, and who ends it", endings};
    return topic;
}

const topic_text& topic_time_out() noexcept {
    static constexpr topic_text topic{"time-out", "Connections that end because nothing comes any more", time_out};
    return topic;
}

const topic_text& topic_refused() noexcept {
    static constexpr topic_text topic{"refused", "Connections that never were: refused, unanswered, given up", refused};
    return topic;
}

} // namespace check
