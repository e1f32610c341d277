// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    key_text{
        .key = key::tcp_tw_recycle,
        .does = "On a host that closes first: made TIME-WAIT as short as 3.5 retransmission time-outs for connections "
                "with timestamps, and remembered the last timestamp of each remote address in return. For 60 s a SYN "
                "from that address that carries an older timestamp, or none, is dropped without an answer.",
        .since = "Linux 2.4 to 4.11; removed in 4.12 (commit 4396e46187ca)",
        .by_default = "0",
        .belief = "It is the safe companion of tcp_tw_reuse.",
        .fact = "An address is not a host. Behind NAT every host has a timestamp clock of its own: those behind the "
                "newest get no answer for up to 60 s at a time while the others connect at once, and those without "
                "timestamps are shut out too. A Linux client whose timestamps start at random for each connection "
                "(4.10.0, 4.10.1; again in 6.1.191, 6.12.94, 6.18.19, 6.19.9) can be hit without any NAT.",
        .advice = "0. Where the kernel no longer has it, delete the line: `sysctl -p` reports an error for it and ends "
                  "with status 1, though it applies the lines around it.",
        .source = "Linux 4.11 net/ipv4/tcp_input.c: tcp_conn_request, tcp_metrics.c: tcp_peer_is_proven, "
                  "tcp_minisocks.c: tcp_time_wait"},
    key_text{.key = key::tcp_tw_reuse,
             .does =
                 "Consulted by connect() alone, once it looks for a local port. 1: an outgoing connection may take "
                 "over this host's own TIME-WAIT with the same addresses and ports, if the old connection had "
                 "timestamps and the TIME-WAIT is old enough (tcp_tw_reuse_delay; before Linux 6.14 about a "
                 "second). 2: the same on loopback only, which is the interface lo, 127.0.0.0/8 and ::1; before Linux "
                 "4.18 it is the same as 1. 0: never.",
             .since = "Linux 2.4.19",
             .by_default = "0 up to Linux 4.17, 2 since 4.18",
             .belief = "It shortens TIME-WAIT, lets a server accept more, or frees ports for bind().",
             .fact = "It does nothing for accept(), nothing for bind(), and nothing for a connection without "
                     "timestamps. With 2 this host's other addresses are not loopback, although the traffic goes "
                     "through lo. And 0 does not forbid everything: a socket that binds its port with SO_REUSEADDR "
                     "takes a TIME-WAIT with timestamps over at once, whatever this says.",
             .advice = "Leave 2. Set 1 if this host opens connections to one address and port faster than local "
                       "ports / 60 s (470 a second by default) and cannot keep them open.",
             .source = "Linux net/ipv4/tcp_ipv4.c: tcp_twsk_unique, called by __inet_check_established; 600 connects "
                       "in 6 s over 100 ports with 1, 100 with 0, or with 2 off loopback (measured on 6.18)"},
    key_text{.key = key::tcp_tw_reuse_delay,
             .does = "How many milliseconds a connection must have been in TIME-WAIT before tcp_tw_reuse may take it "
                     "over, 1 to 60000. One destination can then be given local ports / delay connections a second.",
             .since = "Linux 6.14; before it a second, rounded to the tick of a clock of whole seconds",
             .by_default = "1000",
             .belief = "Less is faster, and that is all.",
             .fact = "The delay stands for the tick of the peer's timestamp clock, which may be as slow as one a "
                     "second. Below that tick the timestamps of the old connection cannot be told from those of the "
                     "new, which is what the peer's protection against old segments (PAWS) goes by.",
             .advice = "Leave 1000, unless every peer is known to tick faster.",
             .source = "Linux net/ipv4/tcp_ipv4.c: tcp_twsk_unique; Documentation/networking/ip-sysctl.rst; RFC 7323"},
    key_text{.key = key::tcp_timestamps,
             .does = "The timestamp option, in use when both ends offer it. Upon it rest the protection against old "
                     "segments (PAWS), tcp_tw_reuse, the rule by which a newer SYN takes a TIME-WAIT over, and window "
                     "scaling and SACK under SYN cookies. 1: on, each clock with a random offset. Any other number but "
                     "0: on, without an offset. 0: off.",
             .since = "Linux 2.2; random offsets since 4.10",
             .by_default = "1",
             .belief = "0 is safer: it hides how long the host is up, and it cures NAT.",
             .fact =
                 "The random offset hides the uptime; it is 2 that shows it. What 0 cured was tcp_tw_recycle, gone "
                 "since Linux 4.12. A SYN without timestamps that meets a TIME-WAIT is judged by its sequence number "
                 "alone and is held up about as often: 12 of 30 in a test behind NAT, 16 to 18 with timestamps.",
             .advice = "Leave 1.",
             .source = "Linux net/core/secure_seq.c: secure_tcp_ts_off, net/ipv4/tcp_minisocks.c: "
                       "tcp_timewait_state_process; RFC 7323"},
    key_text{.key = key::tcp_max_tw_buckets,
             .does = "How many mini-sockets, TIME-WAIT and orphaned FIN-WAIT-2 alike, a network namespace may hold (up "
                     "to Linux 4.10 all of them together). At the limit a connection skips the state and is gone at "
                     "once: a FIN that is sent again, or any late segment, gets RST.",
             .since = "Linux 2.4",
             .by_default = "half of tcp_ehash_entries: 131072 with a table of 262144",
             .belief = "Lowering it gets rid of TIME-WAIT, and the kernel warns in its log when the limit is met.",
             .fact = "It gets rid of what TIME-WAIT protects, and saves 256 bytes each. Nothing is logged by Linux "
                     "3.10, 4.4, 4.9 or 6.18; TCPTimeWaitOverflow counts. 0 allows none. A negative number allows none "
                     "up to 5.17 and any number since 5.19.",
             .advice = "Leave the default. It covers one 60th of it in closes a second by this host; raise it if "
                       "TCPTimeWaitOverflow rises.",
             .source = "Linux net/ipv4/inet_timewait_sock.c: inet_twsk_alloc; with 100 of them 902 of 1000 closes had "
                       "no TIME-WAIT (measured on 6.18)"},
    key_text{
        .key = key::tcp_rfc1337,
        .does =
            "What a RST does to a TIME-WAIT. 0: an acceptable one, which carries the next sequence number and no old "
            "timestamp, ends it. 1: it is ignored, as RFC 1337 proposes (and up to Linux 4.18 starts the 60 s anew).",
        .since = "Linux 2.2",
        .by_default = "0",
        .belief = "1 is a hardening; 0, says the kernel's documentation, prevents TIME-WAIT assassination.",
        .fact = "The documentation has it the wrong way round. And RST is how a client clears a TIME-WAIT out of its "
                "way: its SYN is answered by an ACK that it never asked for, it sends RST, then SYN again. With 1 that "
                "SYN fails again, and starts the 60 s anew each time: ETIMEDOUT after 132 s. Where clients share an "
                "address this hits about half of those whose port is still in TIME-WAIT.",
        .advice = "0, on every host that closes first.",
        .source = "Linux net/ipv4/tcp_minisocks.c: tcp_timewait_state_process; measured on 6.18: 5 of 12 connects "
                  "behind NAT timed out, none with 0"},
    key_text{.key = key::tcp_invalid_ratelimit,
             .does = "The least time in milliseconds between two replies of one socket to segments without data that "
                     "are out of window or fail PAWS. A TIME-WAIT keeps to it as well: to SYNs that it does not accept "
                     "it replies once in that time, and is silent in between (TCPACKSkippedTimeWait). 0: no limit.",
             .since = "Linux 4.4 or before; RHEL 7 has it too",
             .by_default = "500",
             .belief = "Higher is safer.",
             .fact = "It is there to end loops of ACKs. The reply that it holds back is the one by which a client "
                     "finds its way past a TIME-WAIT. 500 lets it go between two SYNs, which are a second apart.",
             .advice = "Leave 500.",
             .source = "Linux net/ipv4/tcp_input.c: tcp_oow_rate_limited; Documentation/networking/ip-sysctl.rst"},
};

} // namespace

std::span<const key_text> texts_of_time_wait_keys() noexcept { return texts; }

} // namespace check
