// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    key_text{.key = key::tcp_fin_timeout,
             .does = "How many seconds an orphan, a connection whose descriptor is closed, stays in FIN-WAIT-2 for the "
                     "peer's FIN. Up to 60 that is what it means. Above, the orphan stays a full socket for n - 60 s "
                     "and a mini-socket for as long again: 2*(n - 60) s in all, 2 s for 61. The least is 3.5 "
                     "retransmission time-outs: about 0.7 s on a fast path, also for 0 and -1.",
             .since = "Linux 2.2",
             .by_default = "60 (180 in Linux 2.2)",
             .belief = "It is the length of TIME-WAIT; 30 halves it.",
             .fact = "TIME-WAIT lasts 60 s whatever this says: with 10, the timer of a TIME-WAIT shows 59 s. A "
                     "connection whose descriptor is open has no limit in FIN-WAIT-2 at all. Up to Linux 5.7, and on "
                     "RHEL 8, a TCP_LINGER2 above this silently becomes this.",
             .advice = "Leave 60; a policy can be stricter by itself with TCP_LINGER2. Below 10 or so, the "
                       "last data and the FIN of a slow peer get RST. Above 60 only 120 gives what it says.",
             .source = "Linux net/ipv4/tcp.c: __tcp_close, do_tcp_setsockopt, tcp_timer.c: tcp_keepalive_timer, "
                       "include/net/tcp.h: tcp_fin_time; measured on 6.18"},
    key_text{.key = key::tcp_orphan_retries,
             .does = "How often an orphan sends its unacknowledged data or FIN again before it is given up. It takes "
                     "the place of tcp_retries2 once the descriptor is closed. 0 means 8, which is about 100 s.",
             .since = "Linux 2.4",
             .by_default = "0, which means 8",
             .belief = "A busy web server should lower it, says the kernel's documentation, to hold fewer sockets.",
             .fact = "close() has reported success for data that these retries still have to deliver. With 1 or 2 the "
                     "end of a response is lost to a few lost segments, and nobody is told.",
             .advice = "Leave 0.",
             .source = "Linux net/ipv4/tcp_timer.c: tcp_orphan_retries, tcp_write_timeout"},
    key_text{
        .key = key::tcp_max_orphans,
        .does =
            "How many orphans the host may have, in all network namespaces together. Beyond, a connection that would "
            "become one is reset instead (TCPAbortOnMemory; `too many orphaned sockets` in the kernel's log).",
        .since = "Linux 2.4",
        .by_default = "half of the host's tcp_ehash_entries",
        .belief = "It limits TIME-WAIT.",
        .fact = "A mini-socket, in TIME-WAIT or FIN-WAIT-2, is no orphan. An orphan still has data or a FIN to "
                "deliver, and up to 64 KiB of memory for it. The limit and the count (`orphan` in /proc/net/sockstat) "
                "are the host's, in a container too, and there the key is not even shown.",
        .advice = "Leave the default. Raise it on the host if the count comes near and memory allows, or make "
                  "connections end sooner: tcp_orphan_retries is not the way, a closing policy that waits for the peer "
                  "with the descriptor open is.",
        .source = "Linux net/ipv4/tcp.c: tcp_check_oom, tcp_init; Documentation/networking/ip-sysctl.rst"},
    key_text{.key = key::tcp_mem,
             .does = "Three limits on the memory of all TCP sockets of the host, in pages. Below the first TCP takes "
                     "what it wants; from the second on it economises until it is below the first again; the third is "
                     "the most. An orphan that meets it is reset (TCPAbortOnMemory).",
             .since = "Linux 2.4",
             .by_default = "by the memory of the host, at boot",
             .belief = "They are bytes, and a container has its own.",
             .fact = "They are pages, of 4 KiB on x86-64. The budget is one for the host, and a container neither "
                     "shows nor sets it; `mem` in /proc/net/sockstat is the host's use as well.",
             .advice = "Leave the default.",
             .source = "Linux net/ipv4/tcp.c: tcp_init_mem, tcp_check_oom; Documentation/networking/ip-sysctl.rst"},
};

} // namespace

std::span<const key_text> texts_of_orphan_keys() noexcept { return texts; }

} // namespace check
