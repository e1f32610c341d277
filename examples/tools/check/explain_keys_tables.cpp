// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

using host::key;

constexpr std::array texts{
    key_text{.key = key::tcp_ehash_entries,
             .does =
                 "Tells how many buckets the table of connections has, in which TIME-WAITs stand as well. A negative "
                 "number: this network namespace shares the table of the initial one, which has that many.",
             .since = "Linux 6.1",
             .by_default = "by the memory of the host, at boot",
             .belief = "It limits the number of connections.",
             .fact = "Buckets hold any number. It decides other defaults, tcp_max_tw_buckets, tcp_max_orphans and "
                     "tcp_max_syn_backlog, and what counting costs: a walk visits every bucket and, in a shared table, "
                     "the sockets of all namespaces.",
             .advice = "Nothing.",
             .source = "Documentation/networking/ip-sysctl.rst; an empty namespace took 15 ms to walk beside 120000 "
                       "TIME-WAITs of another (measured on 6.18)",
             .set_by = "nobody: it is read-only. The boot parameter thash_entries sizes the host's table, "
                       "tcp_child_ehash_entries that of new namespaces"},
    key_text{.key = key::tcp_child_ehash_entries,
             .does = "How many buckets a network namespace gets of its own that is made from this one, rounded up to a "
                     "power of two. 0: it shares the table of the initial namespace.",
             .since = "Linux 6.1",
             .by_default = "0",
             .belief = "Setting it in a container gives the container a table.",
             .fact = "It works for namespaces made afterwards: it must be set where the container is started from. The "
                     "defaults of tcp_max_tw_buckets and tcp_max_syn_backlog in the new namespace go by it.",
             .advice = "Leave 0, unless neighbours with many connections make each other's lookups slow.",
             .source = "Documentation/networking/ip-sysctl.rst"},
};

} // namespace

std::span<const key_text> texts_of_table_keys() noexcept { return texts; }

} // namespace check
