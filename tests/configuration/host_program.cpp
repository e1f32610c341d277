// SPDX-License-Identifier: BSL-1.0
// Calls every function of the host check.
#include <closeside/host.hpp>

#include <iostream>
#include <system_error>

namespace host = closeside::host;

int main() {
    const auto worst = closeside::warn_at_startup<closeside::policies::graceful>(std::clog);
    const std::error_code refused = closeside::check_at_startup<closeside::policies::peer_first>(
        host::stderr_sink(), {.refuse_at = host::severity::critical});
    std::clog << (worst ? to_string(*worst) : "nothing found") << ", " << refused.message() << '\n';

    const host::snapshot seen = host::take_snapshot();
    const host::config_view files = host::read_config();
    const auto findings = host::audit(seen, host::program{.accepts_per_second = 500}, {.config = &files});
    for (const host::finding& f : findings) std::clog << to_line(f) << '\n' << to_text(f, {.colour = true});
    const host::suggestion all = host::suggest(findings, seen);
    const host::snapshot then = all.applied_to(seen);
    std::clog << host::audit(then).size() << " findings if all " << all.settings.size() << " settings were made\n";
    std::clog << host::capacity_of(seen).local_ports.value_or(0) << " local ports\n";
    if (const auto* k = files.find("net.ipv4.tcp_fin_timeout")) std::clog << k->live << '\n';
    if (files.undoing("net.ipv4.tcp_fin_timeout", "60-closeside.conf")) std::clog << "a file undoes it\n";

    const host::tcp_states states = host::count_states();
    std::clog << states.counts.size() << to_string(states.method) << states.why_not_better() << '\n';
    std::clog << host::time_wait_quick().value_or(0) << " in TIME-WAIT\n";
    std::clog << host::read_suppressions("/nonexistent").problems.front() << '\n';
    host::prefixing_sink sink(std::clog);
    sink(host::severity::note, "the end");
    if (seen.error != 0) host::syslog_sink{}(host::severity::note, "no host could be looked at");
    return seen.error;
}
