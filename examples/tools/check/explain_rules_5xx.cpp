// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

// Their findings can name any key that a file sets.
constexpr std::array texts{
    rule_text{.code = "CS501",
              .warns = "A configuration file sets a key that the kernel no longer has, or has under another name.",
              .why = "tcp_tw_recycle is gone since Linux 4.12, the names net.ipv4.netfilter.ip_conntrack_* since 4.9. "
                     "Neither loader translates a name; `sysctl -p` reports an error and ends with status 1.",
              .harmless = "For a key that is gone: the line does nothing. A key that was renamed stays at its default.",
              .advice = "Delete the line, or write the name of today into it."},
    rule_text{.code = "CS502",
              .warns = "The kernel has another value than the one that the configuration files set at boot.",
              .why = "Somebody has set it since, by hand or by `sysctl -p`; or a program has (tuned, a container "
                     "runtime); or the file is newer than the boot.",
              .harmless = "If a program sets it after every boot.",
              .advice = "Decide which value is right, and have the file say so."},
    rule_text{.code = "CS503",
              .warns = "A setting of /etc/sysctl.conf holds now and is lost at the next boot.",
              .why = "systemd-sysctl does not read that file, unless /etc/sysctl.d/99-sysctl.conf leads to it: Debian "
                     "12 has that link, Debian 13 has not. `sysctl -p` does read it.",
              .harmless = "If the lines are not wanted any longer.",
              .advice = "Move the lines into a file below /etc/sysctl.d/, or make the link."},
    rule_text{.code = "CS504",
              .warns =
                  "What systemd-sysctl sets at boot and what `sysctl --system` sets when called are different values.",
              .why = "They differ in /etc/sysctl.conf, in hidden files, in exceptions by `-key`, and in what they do "
                     "after a value that the kernel refuses (closeside-check explain loaders).",
              .harmless = "If nobody ever calls `sysctl --system`; packages and tools do.",
              .advice = "One line for the key, in one file below /etc/sysctl.d/ whose name sorts last."},
    rule_text{.code = "CS505",
              .warns = "A configuration file sets a value that the kernel refuses.",
              .why = "The loader writes all that stands behind the equals sign. `1;`, `\"25\"`, `1024-65535` for a "
                     "range, or a number beyond the limits is refused, and the key keeps what it had.",
              .harmless = "If the value that it had is the one that is wanted.",
              .advice = "Correct the value: no quotes, no signs behind it, a blank between the ends of a range."},
    rule_text{
        .code = "CS506",
        .warns = "A file sets a key of conntrack or of a bridge, whose module may not be loaded yet at boot.",
        .why = "systemd-sysctl runs early, after the modules of /etc/modules-load.d/ and before those that a firewall "
               "loads when it needs them. Where there is no file there is nothing to write to, and it goes on.",
        .harmless = "If the module is built in, or is loaded by name.",
        .advice = "Put nf_conntrack (br_netfilter for net.bridge) into a file below /etc/modules-load.d/."},
    rule_text{.code = "CS507",
              .warns = "A configuration file cannot be read, or keeps the loaders from ending.",
              .why = "Both loaders open whatever ends in .conf: a FIFO makes both of them wait for ever, a device that "
                     "never ends keeps systemd-sysctl busy. A link to nothing hides a file of the same name in the "
                     "directories after it.",
              .harmless = "A link to /dev/null, and an empty file: that is how a file is switched off.",
              .advice = "Remove it, or make it readable."},
    rule_text{.code = "CS508",
              .warns = "A line of a configuration file sets nothing.",
              .why = "No equals sign, no key of that name, or separators that no loader understands, such as "
                     "net.ipv4/tcp_x. Both loaders go on with the next line.",
              .harmless = "Always, if nobody counts on it.",
              .advice = "Correct the line, or delete it."},
};

} // namespace

std::span<const rule_text> texts_of_rules_5xx() noexcept { return texts; }

} // namespace check
