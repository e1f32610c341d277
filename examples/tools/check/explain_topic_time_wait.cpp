// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

constexpr std::array time_wait{
    labelled_text{
        "what", "The state in which the end that closed a TCP connection first remembers it, for 60 s after the last "
                "FIN has been acknowledged: two addresses, two ports, the next sequence numbers, the last timestamp."},
    labelled_text{"why", "First, the lost last ACK. The end that sends it cannot know that it arrived. If it did not, "
                         "the other end sends its FIN again; without TIME-WAIT the answer would be RST, and that end "
                         "would report an error for a connection that had delivered everything."},
    labelled_text{
        "", "Second, late segments. A segment that was delayed on its way can arrive when a new connection has the "
            "same addresses and ports, and be taken for a part of it, if its sequence number fits. As long as the old "
            "connection is remembered, it is recognised and a new one is only let in if it can be told from the old."},
    labelled_text{"who", "The end whose FIN goes first (active close); the other one (passive close) is done with the "
                         "last ACK. Both, if the FINs cross on their way. Neither, if either end sends RST."},
    labelled_text{"how long", "60 s: TCP_TIMEWAIT_LEN, a constant in every kernel from 3.10 on, without a sysctl or a "
                              "socket option. tcp_fin_timeout is not it (closeside-check explain fin-wait-2). Segments "
                              "out of window, or with an old timestamp, start the 60 s anew."},
    labelled_text{"cost", "For a server next to nothing: a mini-socket of 256 bytes (a full socket takes 2.3 KiB; "
                          "Linux 6.18, x86-64), without a descriptor, buffers or an owner. 470 closes a second hold "
                          "28200 of them, 7 MiB. Many of them are no fault; what they can do is to meet the next "
                          "client from the same address and port (closeside-check explain takeover)."},
    labelled_text{"", "For a client it is a port. To one destination address and port each local port serves once in "
                      "60 s: 28232 ports by default, so 470 connections a second. Then connect() fails with "
                      "EADDRNOTAVAIL, unless tcp_tw_reuse helps."},
    labelled_text{"bind", "A listener can start beside the TIME-WAITs of the one before, if both set SO_REUSEADDR: on "
                          "Linux the old sockets must have had it too. Those of a client that happened to use the port "
                          "do not, which is why listening ports belong outside ip_local_port_range."},
    labelled_text{"avoid",
                  "Let the peer close first, which moves it there. RST avoids it "
                  "for everybody and gives up what it protects, and whatever has not arrived. A lower "
                  "tcp_max_tw_buckets gives that up as well, for whichever connections come too late for a place."},
    labelled_text{"source", "RFC 9293, 3.6.1; RFC 1337; Linux net/ipv4/tcp_minisocks.c: tcp_time_wait, "
                            "tcp_timewait_state_process; include/net/tcp.h: TCP_TIMEWAIT_LEN"},
};

constexpr std::array takeover{
    labelled_text{"what", "A SYN arrives for addresses and ports that are in TIME-WAIT on this host: the same client "
                          "again, or another one to whom a NAT or a balancer has given the port."},
    labelled_text{
        "let in",
        "The SYN takes the TIME-WAIT over if it can be told from an old one: its timestamp is newer than the last "
        "one, or its sequence number is beyond what the old connection had. The answer is SYN-ACK at once, "
        "with an initial sequence number beyond that of the old connection. No counter shows it."},
    labelled_text{"refused",
                  "With timestamps on both, an older one refuses the SYN, however new its sequence number (PAWS). With "
                  "equal timestamps, or none, a sequence number that is not beyond the old one does."},
    labelled_text{
        "then",
        "1. This host answers with the ACK of the old connection (challenge ACK): once in tcp_invalid_ratelimit, 500 "
        "ms; silence in between counts in TCPACKSkippedTimeWait. A refusal by timestamp also starts the 60 s anew."},
    labelled_text{"", "2. The client, who is in SYN-SENT and expected a SYN-ACK, answers RST. With tcp_rfc1337 = 0 "
                      "that RST ends the TIME-WAIT."},
    labelled_text{"", "3. The client sends its SYN again and is let in: Linux since 5.7 (5.4 does not) some 10 ms "
                      "later, older ones when their retransmission time-out is over, after 1 s."},
    labelled_text{"rfc1337",
                  "With tcp_rfc1337 = 1 step 2 does not work: the RST is ignored, the next SYN is refused as well, and "
                  "starts the 60 s anew. connect() fails with ETIMEDOUT after about 2 min. The same where something on "
                  "the way drops the client's RST: 8 of 12 connects failed within 8 s in a test."},
    labelled_text{"odds", "Timestamps of different hosts, and since early 2026 those of different ports of one Linux "
                          "host, are unrelated: one of two is older. 16 and 18 of 30 re-used ports were held up in two "
                          "tests behind NAT, by 11 ms; none failed with the defaults."},
    labelled_text{"orphan", "A SYN for an orphan in FIN-WAIT-2 fares worse: with a sequence number beyond the old one "
                            "it gets RST (the client sees ECONNREFUSED), and the mini-socket is gone."},
    labelled_text{"count", "PAWSTimewait (since Linux 6.16; before, within PAWSEstab) counts refusals by timestamp; "
                           "refusals by sequence number are not counted."},
    labelled_text{"avoid", "Let the peer close first, then no TIME-WAIT is here to be met. On a balancer or NAT: a "
                           "pool of addresses and ports so wide that none is used again within 60 s."},
    labelled_text{
        "source",
        "Linux net/ipv4/tcp_minisocks.c: tcp_timewait_state_process; RFC 9293, 3.6.1; RFC 6191; measured on 6.18"},
};

} // namespace

const topic_text& topic_time_wait() noexcept {
    static constexpr topic_text topic{"time-wait", "TIME-WAIT: what it is, why it exists, who pays for it", time_wait};
    return topic;
}

const topic_text& topic_takeover() noexcept {
    static constexpr topic_text topic{"takeover", "A SYN meets a TIME-WAIT: when it is let in, and what happens else",
                                      takeover};
    return topic;
}

} // namespace check
