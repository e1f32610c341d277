// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

constexpr std::array capacity{
    labelled_text{"what",
                  "`closeside-check capacity --closes RATE` foretells what connections that begin and end at a steady "
                  "rate come to in the long run: how many TIME-WAITs, in how much memory, and what becomes of ports. "
                  "By formulas; with --simulate also by going through the connections one by one."},
    labelled_text{"count",
                  "A close by this side leaves a TIME-WAIT for 60 s, so there are 60 times the rate of them: no "
                  "more than tcp_max_tw_buckets, and no more than the peers have addresses and ports, since a "
                  "new connection from a port ends the TIME-WAIT of the last one."},
    labelled_text{"memory",
                  "256 bytes each (slab tw_sock_TCP, Linux 6.18), and where this host chose the port 256 more "
                  "for that. A million take 244 MiB. It is seldom memory that runs out."},
    labelled_text{"meeting",
                  "A connect meets a TIME-WAIT if its port was closed less than 60 s ago. With P ports, used at random "
                  "and free again after R s, at r connects a second from one address, of those that this side closed "
                  "first it is a share of 1 - exp(-(60 - R) r / (P - r R)). In turn it is none below P / 60 a second, "
                  "and then all. With R of 60 s or more it is none."},
    labelled_text{"costs", "Half of those that meet one have the older timestamp: 10 ms late, or locked out with "
                           "tcp_rfc1337 = 1 (closeside-check explain takeover)."},
    labelled_text{"no port",
                  "A NAT has P / (R + the time that a connection is open) connects a second for each address "
                  "and destination; what is beyond is dropped there (Erlang's loss formula). Linux's own "
                  "gives out ports that it still remembers instead, since 6.8."},
    labelled_text{"connects", "A host that opens connections and closes them first binds a local port for 60 s to that "
                              "destination, or for tcp_tw_reuse_delay where tcp_tw_reuse applies: 28232 ports, 470 a "
                              "second. It is the number that the check calls connects per second."},
    labelled_text{"a proxy", "A proxy or balancer on Linux has its connects choose ports by connect(2), which prefers "
                             "every other one and steps at random: --nat-reuse 0 --nat-ports 14116 is near it for one "
                             "address, within a fifth of the share."},
    labelled_text{"assumed", "Connections come at random times (Poisson), evenly from all addresses, and each is open "
                             "for the same time; clients' clocks are unrelated. Bursts hold more ports, and meet more, "
                             "than the average says."},
    labelled_text{"tried",
                  "`closeside-lab pool` measures the share on this kernel with a real NAT beside the simulation, "
                  "`closeside-lab port` the rate at which ports run out; they agree within 5 %."},
    labelled_text{"source",
                  "Linux include/net/tcp.h: TCP_TIMEWAIT_LEN, net/ipv4/tcp_minisocks.c: tcp_timewait_state_process, "
                  "net/ipv4/inet_timewait_sock.c: inet_twsk_alloc, net/netfilter/nf_nat_core.c: "
                  "nf_nat_l4proto_unique_tuple, net/ipv4/inet_hashtables.c: __inet_hash_connect"},
};

} // namespace

const topic_text& topic_capacity() noexcept {
    static constexpr topic_text topic{"capacity", "How many TIME-WAITs, ports and collisions a rate of closes makes",
                                      capacity};
    return topic;
}

} // namespace check
