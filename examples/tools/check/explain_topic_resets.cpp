// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

constexpr std::array unread{
    labelled_text{"what", "close() while received data waits to be read: the kernel sends RST instead of FIN, so that "
                          "the peer learns that not everything was taken (RFC 9293, 3.6.1; TCPAbortOnClose)."},
    labelled_text{"harm", "The response that was sent just before can be lost with it: the RST overtakes nothing, but "
                          "the peer's kernel, or a proxy, throws away what the program there has not read. The client "
                          "sees \"connection reset by peer\" instead of the answer."},
    labelled_text{"who",
                  "A server that answers 413 or 400 without reading the rest of the request, that closes an idle "
                  "connection when the next request is on its way, or that does not read a pipelined request, "
                  "the line end after a body, a TLS close_notify."},
    labelled_text{"the FIN", "The peer's FIN alone is no unread input: closing over it is an ordinary close."},
    labelled_text{"do", "Half-close by shutdown(SHUT_WR), read and throw away until the peer's FIN with a limit, then "
                        "close. One read is not enough. nginx calls it lingering_close."},
    labelled_text{"source", "Linux net/ipv4/tcp.c: __tcp_close; SK_RST_REASON_TCP_ABORT_ON_CLOSE since 6.10; measured "
                            "on 6.18"},
};

constexpr std::array late_data{
    labelled_text{"what",
                  "Data came for a connection that nobody here can read any more, and this host sent RST: after "
                  "close(), or after shutdown(SHUT_RDWR)."},
    labelled_text{"when",
                  "After close(): while its FIN was not acknowledged yet (TCP_ABORT_ON_DATA, TCPAbortOnData), or "
                  "in FIN-WAIT-2, where only a mini-socket is left (TCP_TIMEWAIT_SOCKET, no counter but "
                  "OutRsts)."},
    labelled_text{"harm",
                  "The peer's kernel may throw away what this host had sent before, as with unread input: it had "
                  "just not arrived when close() was called. Half of these endings and of those by unread input "
                  "are the same mistake with another timing."},
    labelled_text{"who", "A server that ends a keep-alive connection while the client sends its next request; one that "
                         "answers before an upload is over; a proxy whose client goes on."},
    labelled_text{"do",
                  "Half-close by shutdown(SHUT_WR), read until the peer's FIN with a limit, then close. Or let the "
                  "peer close first, and keep idle connections longer than it does."},
    labelled_text{"source", "Linux net/ipv4/tcp_input.c: tcp_rcv_state_process, tcp_minisocks.c: "
                            "tcp_timewait_state_process; measured on 6.18"},
};

constexpr std::array listener_queue{
    labelled_text{"what",
                  "A connection whose handshake was done, and that no accept(2) had taken when the listener was "
                  "closed: the kernel sends RST."},
    labelled_text{"harm", "For the client it was open, and its request may be sent already. No counter tells of it."},
    labelled_text{"who", "Every restart that closes the listener before it has emptied the queue; with SO_REUSEPORT "
                         "each worker that ends, since every listener has a queue of its own."},
    labelled_text{"do",
                  "Accept until EAGAIN, then close. Better, let the new process have the old listener (a hand-over "
                  "by descriptor, or socket activation), so that it is never closed. With SO_REUSEPORT, "
                  "tcp_migrate_req (Linux 5.14) gives the queue to the others."},
    labelled_text{"told by",
                  "The reason of the kernel is TCP_STATE, as of any abort. It is named listener-queue if the "
                  "same thread had closed a listener of that port within the second before."},
    labelled_text{"source", "Linux net/ipv4/inet_connection_sock.c: inet_csk_listen_stop; measured on 6.18"},
};

constexpr std::array peer_reset{
    labelled_text{"what",
                  "The peer, or somebody in its name, sent RST. Its reason is not on the wire; when it came says "
                  "a good deal."},
    labelled_text{"open",
                  "On an open connection: the program there crashed with input unread, aborts by SO_LINGER {1, "
                  "0}, or closed over what this host had sent. Or a balancer or firewall ended what it took for "
                  "idle."},
    labelled_text{"our fin", "After this host had closed: the peer had data unread when it closed in turn, or "
                             "aborts. Common of clients that have got what they wanted; harmless if they have."},
    labelled_text{"its fin", "After the peer had closed: it closed both ways, and this host sent more. A client that "
                             "goes away in the middle of a response looks like this."},
    labelled_text{"do",
                  "Look on the peer with the same tool: there it is reset_by_us, with the kernel's reason. If the "
                  "peer has sent nothing, something between the two has."},
    labelled_text{"source", "RFC 9293, 3.5.2 and 3.10.7; Linux net/ipv4/tcp_input.c: tcp_reset"},
};

} // namespace

const topic_text& topic_unread() noexcept {
    static constexpr topic_text topic{"unread", "Closing over unread input: RST instead of FIN", unread};
    return topic;
}

const topic_text& topic_late_data() noexcept {
    static constexpr topic_text topic{"late-data", "Data for a connection that is closed here: RST", late_data};
    return topic;
}

const topic_text& topic_listener_queue() noexcept {
    static constexpr topic_text topic{"listener-queue", "Closing a listener over connections that nobody has accepted",
                                      listener_queue};
    return topic;
}

const topic_text& topic_peer_reset() noexcept {
    static constexpr topic_text topic{"peer-reset", "The peer reset: what can be told, and what cannot", peer_reset};
    return topic;
}

} // namespace check
