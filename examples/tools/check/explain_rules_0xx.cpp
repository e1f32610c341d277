// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

constexpr std::array texts{
    rule_text{.code = "CS001",
              .warns = "Not one of the keys below /proc/sys/net can be read, so nothing was judged.",
              .why = "/proc is not mounted, is masked, or shows processes alone: systemd's ProcSubset=pid does that to "
                     "a service.",
              .harmless = "Never by itself: hazards stay unseen.",
              .advice = "Let the program see /proc/sys/net, or run closeside-check on the host."},
    rule_text{.code = "CS002",
              .warns = "Some keys are there and may not be read, so what they would show was not judged.",
              .why = "A security module or the permissions of the file refuse it; the keys of this check can be read "
                     "by everybody on plain Linux.",
              .harmless = "If a run as a user who may read them finds nothing.",
              .advice = "Let the program read the files named, or run closeside-check as root."},
    rule_text{.code = "CS003",
              .warns = "The file of a key holds something that Linux does not print there.",
              .why = "An emulated or damaged /proc, or --root on a copy that is none: an empty file, binary data, a "
                     "text that is no number.",
              .harmless = "On a copy, if the files named are known to be broken.",
              .advice = "Look at the files named."},
    rule_text{.code = "CS004",
              .warns = "This is a sandbox such as gVisor, whose /proc shows constants; nothing was judged.",
              .why = "The sandbox has a TCP of its own. Files such as tcp_rfc1337 are there, say the same everywhere, "
                     "and set nothing; others are missing.",
              .harmless = "Always, as far as this process goes. The host below it was not seen.",
              .advice = "Run closeside-check on the host or node."},
};

} // namespace

std::span<const rule_text> texts_of_rules_0xx() noexcept { return texts; }

} // namespace check
