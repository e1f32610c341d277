// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_REPORT_HPP
#define CLOSESIDE_CHECK_REPORT_HPP

#include "audit_options.hpp"
#include "output.hpp"

#include <closeside/host/capacity.hpp>
#include <closeside/host/config.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/snapshot.hpp>
#include <closeside/host/states.hpp>
#include <closeside/host/suppression.hpp>

#include <chrono>
#include <iosfwd>
#include <optional>
#include <vector>

namespace check {

struct judged {
    closeside::host::finding finding;
    /// The one that names its code; it may have expired.
    std::optional<closeside::host::suppression> suppression;
    /// Listed for machines, but without weight.
    bool suppressed = false;
};

/// What the check has found, before it is printed.
struct report {
    audit_options asked;
    closeside::host::snapshot seen;
    /// The look before, if there were two.
    std::optional<closeside::host::snapshot> earlier;
    /// What the sysctl configuration files set.
    closeside::host::config_view config;
    closeside::host::capacity capacity;
    /// Counted only for a format that shows them.
    std::optional<closeside::host::tcp_states> states;
    std::chrono::system_clock::time_point taken;
    /// The worst first.
    std::vector<judged> findings;
};

/// Looks once, or twice with asked.watch between, and judges; nothing when there was nothing to look at, of which it then
/// has spoken on standard error.
std::optional<report> look(const audit_options& asked);

/// What was asked for, as the library takes it; refers to `asked`.
closeside::host::program program_of(const audit_options& asked);

/// A note that holds on every host with the kernel's own defaults; people see its code alone unless they ask for more.
bool is_standing(const closeside::host::finding& f) noexcept;

/// The time between the two looks; 0 for one.
std::chrono::duration<double> watched(const report& r);

/// The name of the host that was looked at, or where it lies if that is not this one.
std::string host_name(const closeside::host::snapshot& seen);

/// Of the knowledge that the findings come from: CLOSESIDE_VERSION as in 0.1.0.
std::string version_name();

/// What people want to see of it.
struct text_choice {
    /// Everything that there is to say of each finding.
    bool verbose = false;
    /// Standing notes like others.
    bool all = false;
};

/// For people: of each finding its title, what was seen, and what to do.
void print_text(std::ostream& out, const report& r, const terminal& on, text_choice choice);

/// For programs: findings, values, counters, capacity, kernel, netns, and what was assumed.
void print_json(std::ostream& out, const report& r);

/// For node_exporter's textfile collector.
void print_prometheus(std::ostream& out, const report& r);

} // namespace check

#endif
