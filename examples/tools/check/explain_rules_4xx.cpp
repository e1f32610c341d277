// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    rule_text{.code = "CS401",
              .warns = "nf_conntrack_tcp_timeout_time_wait is below 60: NAT forgets a connection while its server is "
                       "still in TIME-WAIT.",
              .why = "The NAT gives the port to another client, whose SYN meets the TIME-WAIT that the last one left: "
                     "about half are held up, or locked out if the server has tcp_rfc1337 on.",
              .harmless = "If this host does not translate addresses.",
              .advice = "120, or 60 at least.",
              .keys = {key::conntrack_time_wait}},
    rule_text{.code = "CS402",
              .warns = "More than 80 % of nf_conntrack_max are in use.",
              .why = "Each flow is kept for as long as its state's time-out says, 120 s after a close. At the limit "
                     "packets that would begin another are dropped, of every program in this network namespace.",
              .harmless = "Never for long.",
              .advice = "Raise the limit on the host, or do not track what no rule needs (notrack).",
              .keys = {key::conntrack_count, key::conntrack_max}},
    rule_text{.code = "CS403",
              .warns =
                  "At the rate that the program states, the flows it leaves behind fill most of the conntrack table.",
              .why = "rate * time-out of the state that a close leaves: TIME_WAIT, 120 s, or CLOSE, 10 s, for a "
                     "program that only aborts.",
              .harmless = "If nothing is tracked: nf_conntrack_count is 0.",
              .advice = "Raise nf_conntrack_max, or do not track this traffic.",
              .keys = {key::conntrack_max, key::conntrack_time_wait, key::conntrack_close}},
    rule_text{.code = "CS404",
              .warns = "The program waits for the peer longer than conntrack keeps a flow that is silent.",
              .why = "Half-closed flows are kept for 60 s of silence (CLOSE_WAIT to conntrack), open ones for 5 days. "
                     "What comes later belongs to no flow: a firewall drops it, a NAT does not translate it.",
              .harmless = "If the peer is never silent for so long.",
              .advice =
                  "Have the program wait for less, or raise the time-out here; a NAT elsewhere has its own, 4 min "
                  "if it keeps RFC 5382.",
              .keys = {key::conntrack_close_wait, key::conntrack_established}},
    rule_text{.code = "CS405",
              .warns = "nf_conntrack_tcp_loose is 0.",
              .why = "A flow whose SYN was not seen is INVALID: every live connection, after the table is flushed or "
                     "another host takes over.",
              .harmless = "If it was set for SYNPROXY, which needs it.",
              .advice = "1 otherwise.",
              .keys = {key::conntrack_loose}},
    rule_text{.code = "CS406",
              .warns = "nf_conntrack_tcp_be_liberal is 0, and segments out of the expected window are not translated.",
              .why = "Such a segment is INVALID and passes by NAT unchanged, arrives under the wrong address and is "
                     "answered by RST, which ends the connection.",
              .harmless = "Where this host does not translate addresses, and where INVALID is dropped.",
              .advice = "Drop INVALID where addresses are translated, or set 1.",
              .keys = {key::conntrack_be_liberal}},
    rule_text{.code = "CS407",
              .warns = "nf_conntrack_tcp_timeout_established is so short that silent connections are forgotten.",
              .why = "Neither end is told. What follows counts as a new flow, which NAT may send elsewhere and which a "
                     "firewall drops that wants a SYN first.",
              .harmless = "If no connection is silent for so long, or keepalive begins sooner.",
              .advice = "Set SO_KEEPALIVE with TCP_KEEPIDLE below it, or leave 432000.",
              .keys = {key::conntrack_established, key::tcp_keepalive_time}},
    rule_text{.code = "CS408",
              .warns = "nf_conntrack_max is far above nf_conntrack_buckets.",
              .why = "Each flow stands in the table twice. A full table with long chains costs processor time for "
                     "every packet that is tracked.",
              .harmless = "While the table is far from full.",
              .advice = "Raise nf_conntrack_buckets to a quarter of the limit.",
              .keys = {key::conntrack_max, key::conntrack_buckets}},
    rule_text{
        .code = "CS409",
        .warns = "conntrack keeps a flow with a FIN under way for less time than the program gives the peer to "
                 "acknowledge it.",
        .why = "A FIN that is sent again after such a pause finds no flow and does not arrive: the peer never learns "
               "of the end.",
        .harmless = "On paths without loss.",
        .advice = "Raise nf_conntrack_tcp_timeout_fin_wait or _last_ack to what the program waits, or have it wait "
                  "for less.",
        .keys = {key::conntrack_fin_wait, key::conntrack_last_ack}},
    rule_text{.code = "CS410",
              .warns = "nf_conntrack_tcp_timeout_max_retrans or _unacknowledged is shorter than TCP waits between two "
                       "retransmissions.",
              .why = "After three retransmissions, or with data that nobody has acknowledged, these time-outs hold "
                     "instead of that of the state. TCP doubles its waits up to 120 s: in an outage the flow is "
                     "forgotten in one of them.",
              .harmless = "On paths that are never interrupted.",
              .advice = "300, the default.",
              .keys = {key::conntrack_max_retrans, key::conntrack_unacknowledged}},
    rule_text{.code = "CS411",
              .warns = "nf_conntrack_tcp_timeout_syn_recv is below 16 s.",
              .why =
                  "A handshake whose last ACK or SYN-ACK is lost goes on after 1, 2, 4, 8 and 16 s. What comes after "
                  "the time-out belongs to no flow.",
              .harmless = "On paths without loss. Against a flood of SYNs, SYN cookies and a larger table do more.",
              .advice = "60, the default.",
              .keys = {key::conntrack_syn_recv}},
    rule_text{.code = "CS420",
              .warns = "Keepalive begins after NATs and balancers have forgotten a silent connection.",
              .why = "A NAT that keeps RFC 5382 remembers it for 2 h 4 min, some balancers for 350 s. What is written "
                     "afterwards is answered by RST, or by nothing.",
              .harmless = "If the program's connections are never silent for so long.",
              .advice = "SO_KEEPALIVE with TCP_KEEPIDLE of 300 s in the program.",
              .keys = {key::tcp_keepalive_time}},
    rule_text{.code = "CS421",
              .warns = "Keepalive gives up within 10 s, or without a probe.",
              .why = "intvl * probes is how long the path may be interrupted before a silent connection is reset; with "
                     "0 probes it is reset as soon as it has been silent for tcp_keepalive_time.",
              .harmless = "If programs set TCP_KEEPINTVL and TCP_KEEPCNT themselves.",
              .advice = "Leave 9 probes and 75 s.",
              .keys = {key::tcp_keepalive_time, key::tcp_keepalive_intvl, key::tcp_keepalive_probes}},
};

} // namespace

std::span<const rule_text> texts_of_rules_4xx() noexcept { return texts; }

} // namespace check
