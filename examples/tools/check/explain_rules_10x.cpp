// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    rule_text{.code = "CS101",
              .warns =
                  "tcp_rfc1337 is on: clients that share an address can be locked out for about two minutes at a time.",
              .why = "A client's SYN meets a TIME-WAIT of this host and is refused, for one of two because its "
                     "timestamp is older. The RST by which the client would clear the TIME-WAIT is ignored, the next "
                     "SYN is refused as well, and each refusal starts the 60 s anew.",
              .harmless = "If nothing on this host closes first: no TIME-WAIT, nothing to meet. Nearly so if it does "
                          "only when a peer does not. On loopback, where both ends have the same clock.",
              .advice = "Set 0, whatever a hardening guide says; or let the peer close first.",
              .keys = {key::tcp_rfc1337}},
    rule_text{
        .code = "CS102",
        .warns =
            "tcp_tw_recycle is on: SYNs are ignored whose timestamp is older than the last one from the same address.",
        .why = "One timestamp for each remote address, kept for 60 s, fed by every connection that this host closes "
               "first. Hosts behind one address have clocks of their own, and all but the newest fall behind it.",
        .harmless = "With tcp_timestamps = 0, from 60 s after they were turned off, until somebody turns them on.",
        .advice = "Set 0. It exists up to Linux 4.11 only.",
        .keys = {key::tcp_tw_recycle, key::tcp_timestamps}},
    rule_text{.code = "CS103",
              .warns = "The kernel is older than 4.11, this is a container, and the host's tcp_tw_recycle holds here "
                       "without being shown.",
              .why = "Up to Linux 4.10 the key is the host's alone: its file is missing in other network namespaces, "
                     "its effect is not.",
              .harmless = "If it is 0 on the host.",
              .advice = "Look on the host, and set it to 0 there. PAWSPassive in the container proves that it is on.",
              .keys = {key::tcp_tw_recycle, key::tcp_rfc1337}},
    rule_text{.code = "CS104",
              .warns = "tcp_tw_reuse is 1 and does nothing, since tcp_timestamps is 0.",
              .why = "A TIME-WAIT is taken over only if the old connection had timestamps: without them the new one's "
                     "segments cannot be told from the old one's.",
              .harmless = "If this host opens few connections.",
              .advice = "Turn timestamps on.",
              .keys = {key::tcp_tw_reuse, key::tcp_timestamps}},
    rule_text{.code = "CS105",
              .warns = "tcp_tw_reuse is 2, the default: it helps connections on loopback only.",
              .why = "Only interface lo, 127.0.0.0/8 and ::1 count; this host's other addresses do not, although their "
                     "traffic goes through lo.",
              .harmless = "Unless this host opens hundreds of connections a second to one address and port.",
              .advice = "Nothing, or keep connections open, or set 1.",
              .keys = {key::tcp_tw_reuse}},
    rule_text{.code = "CS106",
              .warns = "tcp_tw_reuse is 1, which does nothing for a server.",
              .why = "connect() alone looks at it. The TIME-WAITs that accepted connections leave have the server's "
                     "port and are in nobody's way but that of their own clients.",
              .harmless = "Always; it is about an expectation.",
              .advice = "Nothing; against TIME-WAITs of a server, let the peer close first.",
              .keys = {key::tcp_tw_reuse}},
    rule_text{.code = "CS107",
              .warns = "tcp_tw_reuse_delay is below a second, the slowest clock that a peer's timestamps may have.",
              .why = "Until the peer's clock has ticked, a late segment of the old connection can carry the same "
                     "timestamp as one of the new, and PAWS lets it pass.",
              .harmless = "On loopback, and if every peer is known to tick faster: Linux ticks every millisecond.",
              .advice = "Leave 1000.",
              .keys = {key::tcp_tw_reuse_delay, key::tcp_tw_reuse}},
    rule_text{.code = "CS108",
              .warns = "tcp_tw_reuse is 1, and SYNs can go out on flows that a firewall still takes for closing.",
              .why = "The new connection uses the address and port of one that ended a second ago. Linux's conntrack "
                     "opens the flow anew; other firewalls may drop the SYN.",
              .harmless = "Through Linux's NAT and filter, and without a firewall on the way.",
              .advice = "Nothing, unless connects stall now and then; then 2, or connections that are kept.",
              .keys = {key::tcp_tw_reuse}},
    rule_text{.code = "CS109",
              .warns = "The program closes first, always or if a peer does not, and its peers share addresses: a "
                       "new connection can meet the TIME-WAIT of another peer.",
              .why = "About half of the SYNs that do are refused at first, by their timestamp or sequence number; the "
                     "client sends RST and SYN again (closeside-check explain takeover).",
              .harmless = "While ports come back later than 60 s: many addresses, low rates. While peers close first, "
                          "as they are told to.",
              .advice = "Let the peer close first; no setting of this host prevents it.",
              .keys = {key::tcp_rfc1337}},
};

} // namespace

std::span<const rule_text> texts_of_rules_10x() noexcept { return texts; }

} // namespace check
