// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    key_text{.key = key::tcp_syncookies,
             .does = "What becomes of a SYN while the listener's SYN queue is full. 1: the answer's sequence number "
                     "encodes the connection, and nothing is kept until the client's ACK brings it back. 0: the SYN is "
                     "dropped. 2: cookies always, full or not.",
             .since = "Linux 2.2, if the kernel has CONFIG_SYN_COOKIES",
             .by_default = "1",
             .belief = "They help a busy server.",
             .fact = "They help against a flood, at a price: a connection that comes of a cookie keeps window scaling "
                     "and SACK only if both ends use timestamps. Where the clients are real, it is the backlog that is "
                     "too small, or accept() that is too slow.",
             .advice = "Leave 1; 2 is for tests.",
             .source = "Linux net/ipv4/tcp_input.c: tcp_conn_request, net/ipv4/syncookies.c"},
    key_text{.key = key::somaxconn,
             .does = "The most that listen() takes as backlog: a larger one is cut without a word. The backlog bounds "
                     "the accept queue and, since Linux 4.4, also the SYN queue.",
             .since = "Linux 2.4.25; a constant of 128 before",
             .by_default = "128 up to Linux 5.3 and on RHEL 8, 4096 since 5.4",
             .belief = "Raising it makes the queue longer.",
             .fact = "Only if the program asks for more: the queue is as long as the smaller of the two. And the "
                     "cut is made by listen(), so that a running server keeps what it got.",
             .advice = "At least the backlog that the program asks for; then restart the program.",
             .source = "listen(2); Linux net/ipv4/tcp_input.c: tcp_conn_request",
             .scope = "every network namespace has its own; up to Linux 6.2 one that belongs to an unprivileged user "
                      "namespace does not show it"},
    key_text{
        .key = key::tcp_max_syn_backlog,
        .does = "Since Linux 4.4 of use only while tcp_syncookies is 0: its last quarter is kept for peers that the "
                "host has known before, SYNs from others are dropped.",
        .since = "Linux 2.2",
        .by_default = "tcp_ehash_entries / 128, 128 at least: 2048 with a table of 262144 (up to Linux 4.19 / 256)",
        .belief = "It is the length of the SYN queue.",
        .fact = "That is the listener's backlog. Linux 3.10, and so RHEL 7, still sized the queue by this key.",
        .advice = "Leave the default; raise the program's backlog and net.core.somaxconn instead.",
        .source =
            "Linux net/ipv4/tcp_input.c: tcp_conn_request, tcp_ipv4.c: tcp_sk_init; 3.10 net/core/request_sock.c"},
    key_text{.key = key::tcp_abort_on_overflow,
             .does = "What becomes of the last ACK of a handshake that finds the accept queue full. 0: it is ignored, "
                     "and the SYN-ACK sent again later. 1: RST. A SYN that finds it full is dropped without an answer, "
                     "whatever this says.",
             .since = "Linux 2.4",
             .by_default = "0",
             .belief = "With 1 clients fail fast and go elsewhere, instead of hanging.",
             .fact = "With 0 most of them get in after a second or so, when the burst is over. With 1 the same burst "
                     "is resets, and clients that come a moment later, with the queue still full, hang all the same.",
             .advice = "Leave 0; a larger backlog, or more that accept, is what a full queue asks for.",
             .source = "Linux net/ipv4/tcp_minisocks.c: tcp_check_req; Documentation/networking/ip-sysctl.rst"},
    key_text{.key = key::tcp_synack_retries,
             .does = "How often a SYN-ACK is sent again while the client's ACK is missing, after 1, 2, 4 ... s.",
             .since = "Linux 2.2",
             .by_default = "5: the handshake is given up after 63 s",
             .belief = "Against SYN floods it must be 1 or 2.",
             .fact = "Against floods there are SYN cookies, which keep no handshake at all. Fewer repetitions cut off "
                     "clients whose ACK was lost, and those that wait for room in the accept queue.",
             .advice = "Leave 5.",
             .source = "Documentation/networking/ip-sysctl.rst; tcp(7)"},
    key_text{.key = key::tcp_migrate_req,
             .does = "What becomes of connections that wait to be accepted when their listener is closed. 0: RST. 1: "
                     "another listener on the same port, with SO_REUSEPORT, takes them over.",
             .since = "Linux 5.14",
             .by_default = "0",
             .belief = "SO_REUSEPORT makes a restart lossless.",
             .fact = "Each listener has a queue of its own, and closing it resets what is in it, although others "
                     "listen; no counter of aborts shows it.",
             .advice = "1 if listeners with SO_REUSEPORT come and go and all set the same options; else stop new "
                       "arrivals first, then accept what is queued, then close.",
             .source =
                 "Linux net/ipv4/inet_connection_sock.c: inet_csk_listen_stop; Documentation/networking/ip-sysctl.rst"},
};

} // namespace

std::span<const key_text> texts_of_accepting_keys() noexcept { return texts; }

} // namespace check
