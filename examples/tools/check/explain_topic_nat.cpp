// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

constexpr std::array nat{
    labelled_text{
        "why",
        "Everything that TCP remembers after a connection it remembers by addresses and ports. Behind NAT, a proxy or "
        "a balancer with SNAT these no longer stand for one host: two clients can follow one another on the same "
        "address and port, and each has a clock for its timestamps and sequence numbers of its own."},
    labelled_text{"meets", "If this host closed the first connection, the second client's SYN meets its TIME-WAIT. "
                           "About one of two has the older timestamp and is refused at first (closeside-check explain "
                           "takeover). With the kernel's defaults that costs it 11 ms, or 1 s on an old client."},
    labelled_text{"lockout",
                  "Two settings make a lockout of it. tcp_rfc1337 = 1, on any kernel: such a client cannot connect for "
                  "about 2 min. tcp_tw_recycle = 1, up to Linux 4.11: whoever's timestamp is behind the newest of the "
                  "shared address is ignored, for up to 60 s at a time, on any port."},
    labelled_text{"not it", "tcp_tw_reuse = 1 is about the connections that this host opens; it does not touch "
                            "clients. tcp_timestamps = 0 cured tcp_tw_recycle and nothing else."},
    labelled_text{"pool", "How often it happens goes by how soon an address and port comes back. A carrier's NAT with "
                          "many ports takes long, a balancer with few source addresses and thousands of connections a "
                          "second takes seconds: 28000 ports last 60 s at 470 connections a second."},
    labelled_text{
        "the box",
        "A NAT on Linux keeps a flow for 120 s after the last ACK, twice as long as TIME-WAIT, so that it rarely gives "
        "out a port too soon. nf_conntrack_tcp_timeout_time_wait below 60 there makes the collisions here. With a full "
        "pool it has to re-use: 3 of 12 connects failed at the box itself in a test with a single port."},
    labelled_text{
        "silence",
        "A NAT also forgets silent connections: a half-closed one after 60 s (nf_conntrack_tcp_timeout_close_wait), an "
        "established one after 5 days on Linux, and elsewhere after as long as its maker chose: RFC 5382 asks for 4 "
        "min and for 2 h 4 min."},
    labelled_text{"one host", "Since early 2026 (CVE-2026-23247; seen in 6.1.191, 6.12.94, 6.18.19, 6.19.9) Linux "
                              "begins the timestamps of each connection at a random offset again, as the first of 4.10 "
                              "did and none after. One client behind a NAT is then enough to meet its own past."},
    labelled_text{"cure", "Let the peer close first; where that is impossible, leave tcp_rfc1337 at 0. Nothing on "
                          "the server makes closing first entirely safe for clients that share few ports."},
    labelled_text{"source",
                  "Linux net/ipv4/tcp_minisocks.c, net/core/secure_seq.c, net/netfilter/nf_conntrack_proto_tcp.c; "
                  "measured on 6.18 with two clients behind one address and port"},
};

constexpr std::array recipe{
    labelled_text{"what", "The block that tutorials give against TIME_WAIT, to be put into /etc/sysctl.conf: "
                          "tcp_syncookies = 1, tcp_tw_reuse = 1, tcp_tw_recycle = 1, tcp_fin_timeout = 30, often "
                          "tcp_max_tw_buckets = 5000; then `sysctl -p`."},
    labelled_text{"cookies", "tcp_syncookies = 1 is the default since Linux 3.10 at least. Harmless. (It makes "
                             "tcp_max_syn_backlog, which is often beside it, meaningless since Linux 4.4.)"},
    labelled_text{"reuse", "tcp_tw_reuse = 1 does nothing for a server: only connect() looks at it. For a client it "
                           "frees ports after a second. Up to 4.17 it overrides the default 0, since 4.18 the default "
                           "2 (loopback); without timestamps it is without effect."},
    labelled_text{"recycle", "tcp_tw_recycle = 1 up to Linux 4.11 locks out clients behind NAT, some of them, some of "
                             "the time. Since 4.12 it does not exist: `sysctl -p` reports an error, applies the other "
                             "lines and ends with status 1, which ends scripts that look at it."},
    labelled_text{"fin", "tcp_fin_timeout = 30 halves the wait of orphans for a peer that does not close. TIME-WAIT "
                         "stays 60 s. Up to Linux 5.7 it also limits TCP_LINGER2 to 30."},
    labelled_text{"buckets",
                  "tcp_max_tw_buckets = 5000 does make TIME_WAIT disappear: beyond 83 closes a second connections get "
                  "none, and a peer whose last ACK was lost gets RST. It is not logged; TCPTimeWaitOverflow counts."},
    labelled_text{
        "where", "A container has values of its own, from the defaults compiled into the kernel: no line on the host "
                 "reaches it, on kernels that keep these keys per namespace (3.16 to 4.15, by key). And systemd-sysctl "
                 "does not read /etc/sysctl.conf at boot (closeside-check explain loaders)."},
    labelled_text{"instead", "Delete the block. A server that must not hold TIME-WAITs lets its clients close first; a "
                             "client that runs out of ports keeps connections open, or sets tcp_tw_reuse = 1."},
    labelled_text{"source", "Linux net/ipv4/tcp_ipv4.c: tcp_sk_init, tcp_twsk_unique in 4.11, 4.12, 4.17, 4.18, 6.13, "
                            "6.14; the block applied on 6.18"},
};

} // namespace

const topic_text& topic_nat() noexcept {
    static constexpr topic_text topic{"nat", "NAT and balancers: why a shared address makes TIME-WAIT bite", nat};
    return topic;
}

const topic_text& topic_recipe() noexcept {
    static constexpr topic_text topic{"recipe", "The tutorial's sysctl block, line by line", recipe};
    return topic;
}

} // namespace check
