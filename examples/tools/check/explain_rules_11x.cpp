// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    rule_text{.code = "CS110",
              .warns = "tcp_fin_timeout is below 60, mostly in the belief that it is the length of TIME-WAIT.",
              .why = "It limits orphans in FIN-WAIT-2. TIME-WAIT is a constant of 60 s.",
              .harmless = "If it is meant for orphans.",
              .advice = "Nothing, or leave 60.",
              .keys = {key::tcp_fin_timeout}},
    rule_text{.code = "CS111",
              .warns = "tcp_fin_timeout is between 60 and 120 and means less than it says.",
              .why = "Above 60 the kernel counts n - 60 s twice, once for the full socket and once for the "
                     "mini-socket: 70 gives 20 s.",
              .harmless = "If no program leaves orphans.",
              .advice = "60, or 120.",
              .keys = {key::tcp_fin_timeout}},
    rule_text{.code = "CS112",
              .warns = "tcp_fin_timeout is below 10 s, or 0.",
              .why = "The orphan is gone after that time, and what its peer sends then, data or its FIN, is answered "
                     "by RST. 0 and below mean 3.5 retransmission time-outs.",
              .harmless = "Where every close waits for the peer with the descriptor open.",
              .advice = "60; a program can be stricter for its own connections with TCP_LINGER2.",
              .keys = {key::tcp_fin_timeout}},
    rule_text{.code = "CS113",
              .warns = "TCP_LINGER2 of the program is above tcp_fin_timeout, which an old kernel does not honour.",
              .why = "Up to Linux 5.7, and on RHEL 8, setsockopt(TCP_LINGER2) above the sysctl succeeds and sets the "
                     "sysctl's value.",
              .harmless = "Since Linux 5.8.",
              .advice = "Lower it in the program, or raise tcp_fin_timeout.",
              .keys = {key::tcp_fin_timeout}},
    rule_text{
        .code = "CS114",
        .warns = "The kernel is older than 4.15, this is a container, and the host's tcp_rfc1337 holds here without "
                 "being shown.",
        .why = "Up to Linux 4.14 the key is the host's alone: its file is missing in other network namespaces, its "
               "effect is not.",
        .harmless = "If it is 0 on the host, as by default.",
        .advice = "Look on the host, and set it to 0 there.",
        .keys = {key::tcp_rfc1337}},
    rule_text{
        .code = "CS115",
        .warns = "tcp_invalid_ratelimit is above a second: a TIME-WAIT that has answered once is silent for that long.",
        .why = "Its answer to a refused SYN is what lets the client get on. If that answer or the client's RST is "
               "lost, the SYN that follows a second later finds silence.",
        .harmless = "If no TIME-WAIT of this host is met by others.",
        .advice = "Leave 500.",
        .keys = {key::tcp_invalid_ratelimit}},
    rule_text{.code = "CS116",
              .warns = "tcp_orphan_retries is 1 or 2: what is under way at a close is given up soon.",
              .why = "After close() the connection has only these retries left, while an open one has tcp_retries2. "
                     "The program has been told of success.",
              .harmless = "Where the close waits until the peer has everything, and on paths without loss.",
              .advice = "Leave 0, which means 8.",
              .keys = {key::tcp_orphan_retries}},
    rule_text{
        .code = "CS117",
        .warns = "More than half of tcp_max_orphans are in use, or orphans have been dropped.",
        .why = "An orphan above the limit is reset, and one whose peer does not answer is given up early once half of "
               "it is used. The limit, and tcp_mem, are the host's: other containers use them up too.",
        .harmless = "If TCPAbortOnMemory stands still and the orphans go away.",
        .advice = "Find what closes while much is under way: `ss -tan state fin-wait-1 state last-ack`. Drain before "
                  "closing.",
        .keys = {key::tcp_max_orphans, key::tcp_mem}},
    rule_text{.code = "CS118",
              .warns = "tcp_max_orphans is lowered, or 0.",
              .why = "It is a limit against floods. Above it a close with data or a FIN under way becomes RST, so that "
                     "peers lose the end of a reply.",
              .harmless = "If no more than that many connections are ever closed before they are acknowledged.",
              .advice = "The kernel's own choice, half of tcp_ehash_entries.",
              .keys = {key::tcp_max_orphans, key::tcp_ehash_entries}},
    rule_text{.code = "CS119",
              .warns = "tcp_rto_max_ms is lowered, so that tcp_retries2 lasts less.",
              .why = "tcp_retries2 stands for the time that its retries would take, each twice as long as the one "
                     "before, up to this limit: the lower it is, the sooner the connection is given up.",
              .harmless = "If that is wanted.",
              .advice = "Raise tcp_retries2 along with it.",
              .keys = {key::tcp_rto_max_ms, key::tcp_retries2}},
    rule_text{.code = "CS120",
              .warns = "tcp_max_tw_buckets has room for fewer than 100 closes a second by this host, or is 0.",
              .why = "A connection beyond gets no TIME-WAIT: a FIN that is sent again gets RST, a late segment can hit "
                     "a new connection.",
              .harmless = "If nothing on this host closes first.",
              .advice = "The default, half of tcp_ehash_entries.",
              .keys = {key::tcp_max_tw_buckets}},
    rule_text{.code = "CS121",
              .warns = "tcp_max_tw_buckets is negative.",
              .why = "Compared as a signed number up to Linux 5.17, it allows nothing; unsigned since 5.19, it allows "
                     "everything.",
              .harmless = "If nothing on this host closes first.",
              .advice = "The default.",
              .keys = {key::tcp_max_tw_buckets}},
    rule_text{.code = "CS122",
              .warns = "tcp_max_tw_buckets is too small for the rate of connections that the program states.",
              .why = "Each close by this host holds one for 60 s, so that rate * 60 of them are needed.",
              .harmless = "While peers close first.",
              .advice = "Raise it to 60 times the rate at least, or let the peer close first.",
              .keys = {key::tcp_max_tw_buckets}},
    rule_text{.code = "CS123",
              .warns = "More than 80 % of tcp_max_tw_buckets are in use, or connections have gone without a TIME-WAIT.",
              .why = "At the limit they skip it; nothing is logged. TIME-WAITs and orphans in FIN-WAIT-2 of every "
                     "program in this network namespace count.",
              .harmless = "If TCPTimeWaitOverflow stands still and the table empties.",
              .advice = "Raise it, or let the peers of the busiest program close first.",
              .keys = {key::tcp_max_tw_buckets}},
    rule_text{.code = "CS125",
              .warns = "tcp_mem is far too small, beyond the memory of the host, or in bytes.",
              .why = "Its three numbers are pages, for all connections of the host together: where TCP begins to save "
                     "memory ends, begins, and where data is thrown away. tcp_rmem and tcp_wmem are bytes, for one "
                     "connection; what suits them is wrong here.",
              .harmless = "Never; the kernel's own choice grows with the host.",
              .advice = "Take the line out and restart the host.",
              .keys = {key::tcp_mem}},
    rule_text{.code = "CS130",
              .warns = "tcp_timestamps is off.",
              .why = "Without them there is no PAWS, no tcp_tw_reuse for either end, no window scaling under SYN "
                     "cookies, and a SYN that meets a TIME-WAIT is judged by its sequence number alone.",
              .harmless = "On loopback, at low rates.",
              .advice = "1. If tcp_tw_recycle is on, turn that off first.",
              .keys = {key::tcp_timestamps}},
    rule_text{.code = "CS131",
              .warns = "tcp_timestamps is above 1: timestamps without a random offset.",
              .why = "Each number but 0 and 1 means on, without the offset. The timestamps then tell how long the host "
                     "has been up, and which connections come from the same host.",
              .harmless = "Where nobody outside sees the packets.",
              .advice = "1.",
              .keys = {key::tcp_timestamps}},
    rule_text{
        .code = "CS140",
        .warns = "tcp_retries2 gives connections up in less than 100 s, or sooner than the program waits for "
                 "acknowledgement.",
        .why = "The number stands for a time: 8 is about 100 s, 15 is 924.6 s. A path that is interrupted for longer "
               "ends the connection with ETIMEDOUT.",
        .harmless = "On loopback and inside a data centre, if that is wanted.",
        .advice = "Leave 15; a program that must know sooner sets TCP_USER_TIMEOUT.",
        .keys = {key::tcp_retries2}},
};

} // namespace

std::span<const rule_text> texts_of_rules_11x() noexcept { return texts; }

} // namespace check
