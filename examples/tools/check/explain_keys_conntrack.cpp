// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::string_view with_module =
    "as long as nf_conntrack is loaded or built in; systemd-sysctl runs before most modules are";
constexpr std::string_view timeouts_source =
    "Linux net/netfilter/nf_conntrack_proto_tcp.c: tcp_timeouts, tcp_conntracks";

constexpr std::array texts{
    key_text{
        .key = key::conntrack_max,
        .does = "How many flows a network namespace may track. At the limit packets that would begin another are "
                "dropped: `nf_conntrack: table full, dropping packet` in the kernel's log.",
        .since = with_module,
        .by_default = "nf_conntrack_buckets, or a multiple of it on older kernels: 262144 on a host with memory",
        .belief = "A container with its own namespace is out of it.",
        .fact = "The count is each namespace's own, the limit is the host's for every one of them. A flow stays 120 s "
                "after the last ACK, so that 262144 carry 2184 new connections a second.",
        .advice =
            "At least 120 times the new connections a second, or no tracking for the ports of the service (notrack).",
        .source = "Linux net/netfilter/nf_conntrack_core.c: __nf_conntrack_alloc; "
                  "Documentation/networking/nf_conntrack-sysctl.rst"},
    key_text{.key = key::conntrack_count,
             .does = "Tells how many flows this network namespace tracks now.",
             .since = with_module,
             .by_default = "0",
             .belief = "It is the number of connections.",
             .fact = "It counts every protocol, connections that ended up to 120 s ago, and those only forwarded. It "
                     "is 0 if no rule asks for tracking, although the module is loaded.",
             .advice = "Watch it against nf_conntrack_max.",
             .source = "Documentation/networking/nf_conntrack-sysctl.rst",
             .set_by = "nobody: it is read-only"},
    key_text{.key = key::conntrack_buckets,
             .does = "How many buckets the table of tracked flows has, for all network namespaces.",
             .since = with_module,
             .by_default = "by the memory of the host, 262144 at most",
             .belief = "Raising nf_conntrack_max is enough.",
             .fact = "Every flow stands in the table twice, once for each direction: with a far higher limit the "
                     "chains grow, and with them the cost of every packet.",
             .advice = "Raise it along with nf_conntrack_max; before Linux 4.7, where the key can only be read, by "
                       "/sys/module/nf_conntrack/parameters/hashsize.",
             .source = "Documentation/networking/nf_conntrack-sysctl.rst; Linux commit 3183ab8997a4 (4.7)"},
    key_text{
        .key = key::conntrack_established,
        .does = "How many seconds an established flow may be silent before it is forgotten.",
        .since = with_module,
        .by_default = "432000, which is 5 days",
        .belief = "Five days are a leftover that can be minutes.",
        .fact = "A connection that outlives its entry is a stranger: what follows counts as a new flow, which NAT may "
                "send elsewhere and which a firewall drops that wants a SYN first. Neither end is told.",
        .advice =
            "No less than the longest silence of the connections that pass here, which is 2 h with default keepalive.",
        .source = timeouts_source},
    key_text{.key = key::conntrack_fin_wait,
             .does = "How many seconds a flow is kept after the first FIN, until that is acknowledged.",
             .since = with_module,
             .by_default = "120",
             .belief = "It bounds FIN-WAIT-2.",
             .fact = "conntrack names states by what it sees in the middle: its FIN_WAIT ends with the ACK of the FIN, "
                     "and a half-closed flow is CLOSE_WAIT to it, whichever side closed.",
             .advice = "Leave 120.",
             .source = timeouts_source},
    key_text{
        .key = key::conntrack_close_wait,
        .does = "How many seconds a half-closed flow, with one FIN seen and acknowledged, may be silent before it is "
                "forgotten.",
        .since = with_module,
        .by_default = "60",
        .belief = "A half-closed connection lives as long as its ends want.",
        .fact = "After 60 s of silence the entry is gone, and what the other side still sends is dropped by a NAT: the "
                "client of shutdown(SHUT_WR) waits in vain for a slow response.",
        .advice = "Above the longest silence that the programs behind it grant; or no half-close before a long "
                  "wait.",
        .source = "Linux net/netfilter/nf_conntrack_proto_tcp.c: tcp_timeouts; measured on 6.18: CLOSE_WAIT 59 right "
                  "after SHUT_WR"},
    key_text{.key = key::conntrack_last_ack,
             .does = "How many seconds a flow is kept after the second FIN, until that is acknowledged.",
             .since = with_module,
             .by_default = "30",
             .belief = "It matters for clean closes.",
             .fact = "Only if the last ACK is lost for so long.",
             .advice = "Leave 30.",
             .source = timeouts_source},
    key_text{
        .key = key::conntrack_time_wait,
        .does = "How many seconds a flow is kept after the last ACK. Until then a NAT does not give its address and "
                "port to another flow to the same destination.",
        .since = with_module,
        .by_default = "120",
        .belief = "Lower is better: it frees entries.",
        .fact =
            "The end that closed first holds its TIME-WAIT for 60 s. A NAT that forgets before that gives the port to "
            "the next client while the server still remembers the last one; about half of those SYNs are held up.",
        .advice = "60 at least; 120 is the default for a reason.",
        .source =
            "Linux net/netfilter/nf_conntrack_proto_tcp.c: tcp_timeouts; measured on 6.18: 16 and 18 of 30 held up"},
    key_text{
        .key = key::conntrack_close,
        .does = "How many seconds a flow is kept after a RST.",
        .since = with_module,
        .by_default = "10",
        .belief = "An abort is free of any waiting.",
        .fact =
            "At the ends it is; in the middle the entry stays this long, unless a SYN of the same flow begins it anew.",
        .advice = "Leave 10.",
        .source = timeouts_source},
    key_text{.key = key::conntrack_syn_recv,
             .does = "How many seconds a flow is kept whose SYN-ACK has been seen, and not the ACK that follows.",
             .since = with_module,
             .by_default = "60",
             .belief = "A few seconds do, and help against a flood of SYNs.",
             .fact =
                 "SYN-ACKs are sent again after 1, 2, 4, 8 and 16 s: with a few seconds a client on a lossy path is "
                 "forgotten in between.",
             .advice = "Leave 60.",
             .source = timeouts_source},
    key_text{
        .key = key::conntrack_unacknowledged,
        .does = "The longest that a flow is kept, in seconds, while data on it is unacknowledged.",
        .since = with_module,
        .by_default = "300",
        .belief = "It can be as short as the path is fast.",
        .fact = "In an outage TCP waits up to 120 s between two retransmissions, and goes on for a quarter of an hour.",
        .advice = "Leave 300.",
        .source = timeouts_source},
    key_text{
        .key = key::conntrack_max_retrans,
        .does = "The longest that a flow is kept, in seconds, once a segment was sent again "
                "nf_conntrack_tcp_max_retrans times.",
        .since = with_module,
        .by_default = "300",
        .belief = "Whoever retransmits is gone.",
        .fact = "In an outage TCP waits up to 120 s between two retransmissions, and goes on for a quarter of an hour.",
        .advice = "Leave 300.",
        .source = timeouts_source},
    key_text{.key = key::conntrack_be_liberal,
             .does = "Not 0: of the segments that are out of window, only RSTs are INVALID.",
             .since = with_module,
             .by_default = "0",
             .belief = "It is insecure, and nobody needs it.",
             .fact = "Where conntrack sees but one direction of a flow, or segments far out of order, 0 makes valid "
                     "segments INVALID, and a rule that drops these breaks the connection; without such a rule they "
                     "pass without being translated, and the peer answers RST.",
             .advice = "Leave 0, unless segments are lost as INVALID: nf_conntrack_log_invalid = 6 logs them.",
             .source = "Documentation/networking/nf_conntrack-sysctl.rst; kubernetes/kubernetes#74839"},
    key_text{.key = key::conntrack_loose,
             .does = "Whether a flow is taken up in its middle, without a SYN. 0: such segments are INVALID.",
             .since = with_module,
             .by_default = "1",
             .belief = "0 is stricter, and costs nothing.",
             .fact = "It costs every live connection when the table is flushed, when the host restarts, and when "
                     "another takes over.",
             .advice = "Leave 1, unless there is a rule for it.",
             .source =
                 "Linux net/netfilter/nf_conntrack_proto_tcp.c; Documentation/networking/nf_conntrack-sysctl.rst"},
};

} // namespace

std::span<const key_text> texts_of_conntrack_keys() noexcept { return texts; }

} // namespace check
