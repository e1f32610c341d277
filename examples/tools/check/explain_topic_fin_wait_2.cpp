// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

constexpr std::array fin_wait_2{
    labelled_text{"what", "The state between the acknowledgement of this host's FIN and the peer's FIN: this host has "
                          "said all it had to say and waits for the peer to do so."},
    labelled_text{"open", "As long as a descriptor is open, after shutdown(SHUT_WR), there is no limit: the peer may "
                          "send for hours, and the kernel does not end it."},
    labelled_text{"orphan", "Once the descriptor is closed nobody can read what comes, and the kernel limits the wait: "
                            "tcp_fin_timeout, 60 s, or TCP_LINGER2 for one socket. Data that arrives gets RST. The "
                            "peer's FIN begins the full 60 s of TIME-WAIT, however short the limit was."},
    labelled_text{"how long",
                  "Up to 60 s the limit is what it says. Above, n s give 2*(n - 60) s: 61 gives 2, 70 gives 20, 90 "
                  "gives 60, 120 gives 120. Never less than 3.5 retransmission time-outs. TCP_LINGER2 is cut to 120 "
                  "since Linux 5.8; up to 5.7, and on RHEL 8, a value above tcp_fin_timeout silently becomes that. A "
                  "negative TCP_LINGER2 resets the connection as soon as its FIN is acknowledged."},
    labelled_text{"counted", "An orphan in FIN-WAIT-2 is a mini-socket like a TIME-WAIT: `tw` in /proc/net/sockstat "
                             "and `ss -s` count both, tcp_max_tw_buckets limits both. netstat and `ss -t` list it as "
                             "FIN-WAIT-2. Limits of 4 s or less count in TWKilled, although nothing is killed."},
    labelled_text{"before", "FIN-WAIT-1, until this host's FIN is acknowledged, has neither limit: an orphan there "
                            "goes by tcp_orphan_retries, about 100 s."},
    labelled_text{
        "source",
        "Linux net/ipv4/tcp.c: __tcp_close, do_tcp_setsockopt; tcp_timer.c: tcp_keepalive_timer; measured on 6.18"},
};

constexpr std::array linger{
    labelled_text{"default", "SO_LINGER off: close() returns at once, the kernel goes on to deliver what is queued, "
                             "and then sends FIN. Unless something received has not been read: then close() sends RST, "
                             "which can destroy the end of the response on its way (TCPAbortOnClose)."},
    labelled_text{
        "{1, 0}",
        "close() sends RST, discards what is queued, and leaves neither TIME-WAIT nor FIN-WAIT-2 (TCPAbortOnData). A "
        "connection that has reached TIME-WAIT already, after shutdown(), stays there for its 60 s."},
    labelled_text{"{1, n}", "close() blocks up to n s until all data and the FIN are acknowledged, on a non-blocking "
                            "socket too: an event loop stands still meanwhile. It returns 0 even when the time is "
                            "over. It does not wait for the peer's FIN, and not at all when the process exits."},
    labelled_text{"linger2", "TCP_LINGER2 has only the name in common: it limits FIN-WAIT-2 of the orphan that close() "
                             "leaves (closeside-check explain fin-wait-2)."},
    labelled_text{"inherit", "Accepted sockets have both options from their listener, as it was when the handshake "
                             "ended, not when accept() was called. Set them before listen()."},
    labelled_text{
        "asio",
        "Asio's destructor takes a linger back that was set through its own set_option: the connection ends by FIN, "
        "where close() sends RST. One that was set by setsockopt(), or inherited from the listener, it leaves alone."},
    labelled_text{"instead", "To know that the peer has got everything, half-close, then read until its FIN, with a "
                             "limit: what nginx calls lingering_close."},
    labelled_text{"source", "Linux net/ipv4/tcp.c: __tcp_close, af_inet.c: inet_release; socket(7), tcp(7); Asio 1.38 "
                            "socket_ops.ipp: close; measured on 6.18"},
};

} // namespace

const topic_text& topic_fin_wait_2() noexcept {
    static constexpr topic_text topic{"fin-wait-2", "FIN-WAIT-2: waiting for the peer's FIN, and tcp_fin_timeout",
                                      fin_wait_2};
    return topic;
}

const topic_text& topic_linger() noexcept {
    static constexpr topic_text topic{"linger", "SO_LINGER and TCP_LINGER2: what close() does by them", linger};
    return topic;
}

} // namespace check
