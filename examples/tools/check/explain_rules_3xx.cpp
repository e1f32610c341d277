// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    rule_text{.code = "CS301",
              .warns = "A port that the program listens on lies in ip_local_port_range and is not reserved.",
              .why = "While the program is down the kernel can give the port to an outgoing connection. Such a socket "
                     "has no SO_REUSEADDR, so that the new listener gets EADDRINUSE: as long as the connection lives, "
                     "and 60 s longer if this host closes it first.",
              .harmless = "If nothing on this host connects out.",
              .advice = "Add the port to ip_local_reserved_ports, or listen outside of the range.",
              .keys = {key::ip_local_port_range, key::ip_local_reserved_ports}},
    rule_text{.code = "CS302",
              .warns = "The rate of connects that the program states needs more local ports than there are.",
              .why = "To one address and port each local port serves once in 60 s, or once in tcp_tw_reuse_delay if "
                     "tcp_tw_reuse helps.",
              .harmless = "If the connects go to several destinations, or the other end closes first.",
              .advice =
                  "Keep connections open; else tcp_tw_reuse = 1 with timestamps, or more addresses to connect from.",
              .keys = {key::ip_local_port_range, key::ip_local_reserved_ports, key::tcp_tw_reuse, key::tcp_timestamps}},
    rule_text{.code = "CS303",
              .warns = "ip_autobind_reuse is on.",
              .why = "When all ports are taken, bind() to port 0 gives one that others have. Two of them that connect "
                     "to the same destination collide in connect(): EADDRNOTAVAIL, later and further from the cause.",
              .harmless = "If nothing binds to port 0 with SO_REUSEADDR before it connects.",
              .advice = "0; IP_BIND_ADDRESS_NO_PORT does what it was set for.",
              .keys = {key::ip_autobind_reuse}},
    rule_text{.code = "CS304",
              .warns = "ip_local_port_range leaves fewer than 1000 ports.",
              .why = "Everything that connects, or binds to port 0, takes from them. 1000 ports are 16 connections a "
                     "second to one destination, at 60 s each.",
              .harmless = "On a host that hardly connects out.",
              .advice = "32768 60999, the default.",
              .keys = {key::ip_local_port_range, key::ip_local_reserved_ports}},
    rule_text{.code = "CS305",
              .warns = "ip_local_reserved_ports covers most of ip_local_port_range.",
              .why = "Reserved ports are never chosen automatically; what is left is all that connects have. The "
                     "kernel accepts a list that leaves none.",
              .harmless = "On a host that never connects out.",
              .advice = "Reserve the ports that are listened on, and no ranges.",
              .keys = {key::ip_local_port_range, key::ip_local_reserved_ports}},
    rule_text{.code = "CS306",
              .warns = "ip_local_port_range begins below 10000, among the ports that services listen on.",
              .why = "Any of these can be taken by an outgoing connection, and the service then fails to start.",
              .harmless = "If every service's port is reserved.",
              .advice = "Begin at 10000 or above, or reserve every port that is listened on.",
              .keys = {key::ip_local_port_range, key::ip_local_reserved_ports}},
    rule_text{.code = "CS307",
              .warns = "tcp_syn_retries is 0 or 1, or 8 and more.",
              .why = "With few, one or two lost packets make a connect fail. With many, a connect that a firewall "
                     "drops silently hangs for minutes: each further retry doubles the time.",
              .harmless = "If every program has a time limit of its own, or nothing connects out.",
              .advice = "6, the default.",
              .keys = {key::tcp_syn_retries}},
};

} // namespace

std::span<const rule_text> texts_of_rules_3xx() noexcept { return texts; }

} // namespace check
