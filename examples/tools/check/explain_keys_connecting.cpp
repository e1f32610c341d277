// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    key_text{
        .key = key::tcp_syn_retries,
        .does = "How often connect() sends its SYN again before ETIMEDOUT. Since Linux 6.5 the first of them are a "
                "second apart (tcp_syn_linear_timeouts), the later ones 2, 4, 8 ... s.",
        .since = "Linux 2.2",
        .by_default = "6: 131 s, 127 s before Linux 6.5 (5 before 3.7)",
        .belief = "A connect() that takes two minutes to fail found no server.",
        .fact = "It can have found one that answers every SYN with an ACK: a TIME-WAIT on the server, under "
                "tcp_rfc1337 or behind a box that drops the client's RST.",
        .advice =
            "Leave 6; a program that will not wait so long sets TCP_USER_TIMEOUT, TCP_SYNCNT or a timer of its own.",
        .source = "Documentation/networking/ip-sysctl.rst; 132 s measured on 6.18"},
    key_text{.key = key::tcp_retries2,
             .does =
                 "How long an established connection sends unacknowledged data again before it fails with ETIMEDOUT: "
                 "as long as this many time-outs and one more take, from 200 ms on, each twice the one before.",
             .since = "Linux 2.2",
             .by_default = "15: 924.6 s at least",
             .belief = "It is a number of retransmissions, and it holds for every connection.",
             .fact = "The number stands for a time, which the kernel computes from it; on a slow path fewer "
                     "retransmissions fit. A SYN goes by tcp_syn_retries, an orphan by tcp_orphan_retries.",
             .advice = "Leave 15, or set TCP_USER_TIMEOUT in the program. RFC 1122 asks for 100 s, which is 8.",
             .source = "Linux net/ipv4/tcp_timer.c: tcp_write_timeout; Documentation/networking/ip-sysctl.rst"},
    key_text{.key = key::tcp_rto_max_ms,
             .does = "The longest time between two retransmissions, in milliseconds, 1000 to 120000. The socket option "
                     "TCP_RTO_MAX_MS goes before it; accepted sockets inherit it.",
             .since = "Linux 6.15",
             .by_default = "120000, the constant of the kernels before",
             .belief = "Lowered, connections recover sooner from an outage, and that is all.",
             .fact = "tcp_retries2 is computed with it: lowered alone, connections also die long before 924 s.",
             .advice = "Leave it, or raise tcp_retries2 with it.",
             .source = "Documentation/networking/ip-sysctl.rst"},
    key_text{.key = key::tcp_keepalive_time,
             .does = "How many seconds a connection with SO_KEEPALIVE is silent before the first probe.",
             .since = "Linux 2.2",
             .by_default = "7200",
             .belief = "It keeps every connection alive.",
             .fact = "Only those whose program sets SO_KEEPALIVE; an orphan has none. What forgets silent connections, "
                     "NAT, balancers and firewalls, has limits of its own, which can be far below two hours.",
             .advice = "Set TCP_KEEPIDLE in the program, below the shortest of these limits.",
             .source = "tcp(7); Documentation/networking/ip-sysctl.rst"},
    key_text{.key = key::tcp_keepalive_intvl,
             .does = "How many seconds lie between two keepalive probes that are not answered.",
             .since = "Linux 2.4",
             .by_default = "75",
             .belief = "It is how often a live connection is probed.",
             .fact = "That is tcp_keepalive_time; this counts once the peer has stopped to answer. By default a dead "
                     "peer is noticed 7200 + 9 * 75 s = 2 h 11 min after its last word.",
             .advice = "Leave 75, and set TCP_KEEPINTVL if a program must know sooner.",
             .source = "tcp(7); Documentation/networking/ip-sysctl.rst"},
    key_text{.key = key::tcp_keepalive_probes,
             .does = "How many keepalive probes may stay unanswered before the connection is given up.",
             .since = "Linux 2.2",
             .by_default = "9",
             .belief = "1 finds dead peers soonest.",
             .fact = "1 also ends a live connection over one lost probe.",
             .advice = "Leave 9, and set TCP_KEEPCNT if a program must know sooner.",
             .source = "tcp(7); Documentation/networking/ip-sysctl.rst"},
    key_text{.key = key::ip_local_port_range,
             .does = "The ports that connect(), and bind() to port 0, choose from. To one address and port each of "
                     "them serves one connection at a time, and for 60 s longer if this host closed first: 28232 "
                     "ports / 60 s is 470 connections a second.",
             .since = "Linux 2.2",
             .by_default = "32768 60999",
             .belief = "`1024 65535` is free of cost, and the whole number of connections is bounded by it.",
             .fact = "It bounds connections to one destination; another address or port has all ports to itself. And "
                     "whatever listens inside the range can find its port taken when it starts again: by a connection "
                     "of this host, or for 60 s by the TIME-WAIT of one. A lone number changes the low end only.",
             .advice =
                 "Leave it, or widen it and put every listening port inside into ip_local_reserved_ports. Ends of "
                 "different parity are best: connect() prefers the ports of the one, bind() those of the other.",
             .source = "Linux net/ipv4/inet_hashtables.c: __inet_hash_connect; Documentation/networking/ip-sysctl.rst"},
    key_text{.key = key::ip_local_reserved_ports,
             .does = "Ports within ip_local_port_range that are never chosen automatically.",
             .since = "Linux 3.10 or before",
             .by_default = "empty",
             .belief = "It keeps a port for one program.",
             .fact = "It keeps the kernel from giving it to anyone who did not ask; whoever binds it by number still "
                     "gets it. The list is written as `8080,9000-9010`, with commas; every write replaces all of it.",
             .advice = "Every port inside the local range that something on this host listens on.",
             .source = "Documentation/networking/ip-sysctl.rst"},
    key_text{.key = key::ip_autobind_reuse,
             .does = "1: bind() to port 0 may choose a port that is bound already, if all its owners set SO_REUSEADDR.",
             .since = "Linux 5.7",
             .by_default = "0",
             .belief = "It is how a client with bind() gets past the number of its ports.",
             .fact =
                 "Two sockets on one port that connect to the same destination collide, and the second learns it in "
                 "connect(): EADDRNOTAVAIL.",
             .advice =
                 "Leave 0; IP_BIND_ADDRESS_NO_PORT puts the choice off until connect(), when the destination is known.",
             .source = "Linux net/ipv4/inet_connection_sock.c; Documentation/networking/ip-sysctl.rst"},
};

} // namespace

std::span<const key_text> texts_of_connecting_keys() noexcept { return texts; }

} // namespace check
