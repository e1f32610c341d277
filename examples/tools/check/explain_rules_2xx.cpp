// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    rule_text{.code = "CS201",
              .warns = "tcp_syncookies is off.",
              .why =
                  "When the SYN queue is full, further SYNs are dropped, those of a flood and those of clients alike.",
              .harmless = "On loopback.",
              .advice = "1.",
              .keys = {key::tcp_syncookies}},
    rule_text{
        .code = "CS202",
        .warns = "SYN cookies are on and timestamps are off.",
        .why = "Nothing is kept of a SYN that is answered with a cookie; window scaling and SACK come back in the "
               "timestamp of the client's ACK, or not at all. Such a connection never has more than 64 KiB under way.",
        .harmless = "While the SYN queue is never full.",
        .advice = "Turn timestamps on.",
        .keys = {key::tcp_syncookies, key::tcp_timestamps}},
    rule_text{.code = "CS203",
              .warns = "tcp_syncookies is 2 or more.",
              .why = "2 is for tests and answers every SYN with a cookie, even while the queue is empty: a SYN-ACK "
                     "that is lost is not sent again. 3 and above do what 1 does.",
              .harmless = "Above 2, and on loopback.",
              .advice = "1.",
              .keys = {key::tcp_syncookies}},
    rule_text{.code = "CS204",
              .warns = "tcp_max_syn_backlog has been set, and does nothing while tcp_syncookies is on.",
              .why = "Since Linux 4.4 the SYN queue is as long as the listener's backlog. This key is only looked at "
                     "if there are no cookies.",
              .harmless = "Always; it is about an expectation.",
              .advice = "Nothing; a longer queue needs a larger backlog and net.core.somaxconn.",
              .keys = {key::tcp_max_syn_backlog, key::tcp_syncookies}},
    rule_text{.code = "CS205",
              .warns = "net.core.somaxconn is below the backlog that the program asks for.",
              .why = "listen() cuts the backlog without a word. A burst that does not fit is dropped, and comes back a "
                     "second later when the SYNs are sent again.",
              .harmless = "If the queue is never full: ListenOverflows stands still.",
              .advice = "Raise it, then restart the program.",
              .keys = {key::somaxconn}},
    rule_text{.code = "CS206",
              .warns = "net.core.somaxconn is below 128, or is 128 and the stated rate or ListenOverflows tell that it "
                       "matters.",
              .why = "No accept queue is longer. At 1000 connections a second 128 last for 128 ms in which the program "
                     "does not accept.",
              .harmless = "At low rates.",
              .advice = "4096, the default since Linux 5.4; then restart the program, with as large a backlog.",
              .keys = {key::somaxconn}},
    rule_text{.code = "CS207",
              .warns = "tcp_abort_on_overflow is on.",
              .why = "The client has seen SYN-ACK and takes itself for connected. With 0 its last ACK is passed over "
                     "and the SYN-ACK sent again, so that it gets in when the burst is over; with 1 it gets RST.",
              .harmless = "While the accept queue is never full.",
              .advice = "0.",
              .keys = {key::tcp_abort_on_overflow}},
    rule_text{.code = "CS208",
              .warns = "An accept queue of this network namespace has been full.",
              .why = "The program did not accept as fast as connections came, for as long as its backlog lasted. Each "
                     "time a SYN or the last ACK of a handshake was dropped.",
              .harmless = "If it is long ago: the counter begins with the network namespace.",
              .advice = "Accept faster, or enlarge the backlog: ss -ltn shows each listener's queue and limit.",
              .keys = {key::somaxconn}},
    rule_text{.code = "CS209",
              .warns = "A SYN queue of this network namespace has been full.",
              .why = "More handshakes were open than the listener's backlog allows: a flood, or a burst of clients far "
                     "away. Further SYNs got cookies, or were dropped.",
              .harmless = "If it was a flood.",
              .advice = "If it was clients: enlarge the backlog, which bounds this queue too.",
              .keys = {key::tcp_syncookies, key::somaxconn}},
    rule_text{.code = "CS210",
              .warns = "tcp_synack_retries is 0.",
              .why = "The SYN-ACK is sent once and the handshake forgotten after a second. A client whose ACK is late "
                     "or lost takes itself for connected, and gets RST for its first data.",
              .harmless = "On loopback.",
              .advice = "Leave 5.",
              .keys = {key::tcp_synack_retries}},
    rule_text{.code = "CS211",
              .warns = "Several sockets listen on one port, and tcp_migrate_req is 0.",
              .why = "SO_REUSEPORT gives each listener a queue of its own. The kernel spreads connections over the "
                     "queues, and resets those in the queue of a listener that is closed, though others listen: so a "
                     "restart by a second listener loses the clients whom the first has not accepted yet.",
              .harmless = "While no listener is closed before it has accepted what waits and the others are gone, too; "
                          "and where a BPF program of the kind select-or-migrate chooses among them.",
              .advice = "Hand the listening socket itself on; or 1, if all listeners of the port set the same options.",
              .keys = {key::tcp_migrate_req}},
};

} // namespace

std::span<const rule_text> texts_of_rules_2xx() noexcept { return texts; }

} // namespace check
