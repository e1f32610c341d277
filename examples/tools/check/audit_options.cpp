// SPDX-License-Identifier: BSL-1.0
#include "audit_options.hpp"

#include <closeside/host/detail/rule_table.hpp>
#include <closeside/policy.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <functional>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;

template <class Value, std::size_t N>
using choices = std::array<std::pair<std::string_view, Value>, N>;

constexpr choices<host::exposure, 4> exposures{{{"balancer", host::exposure::balancer},
                                                {"nat", host::exposure::nat},
                                                {"direct", host::exposure::direct},
                                                {"loopback", host::exposure::loopback}}};

using closeside::close_policy;
namespace policies = closeside::policies;

/// What a program does, by the policies that do the same. nginx: lingering_close on, with its 30 s and 5 s, where it
/// knows of more input, and else close(2). Apache: ap_lingering_close. HAProxy: close(2) towards clients; towards servers
/// RST, unless the server has closed first.
const choices<std::vector<close_policy>, 7> assumptions{
    {{"local", {policies::graceful}},
     {"peer", {policies::peer_first}},
     {"abort", {policies::abortive}},
     {"system", {policies::system}},
     {"nginx",
      {policies::system, close_policy{.drain_time = std::chrono::seconds(30), .drain_idle = std::chrono::seconds(5)}}},
     {"haproxy", {policies::system, policies::peer_first_or_reset}},
     {"apache", {close_policy{.drain_time = std::chrono::seconds(30), .drain_idle = std::chrono::seconds(2)}}}}};

template <class Value, std::size_t N>
Value choose(const choices<Value, N>& among, const std::string& option, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& [known, value] : among) {
        if (known == name) return value;
        names.emplace_back(known);
    }
    refuse(option, name, "is not known; give " + alternatives(names));
}

/// Far beyond any host; keeps what is computed from it within a double's exact numbers.
constexpr double most_per_second = 1e9;

std::string known_codes() {
    std::string codes;
    for (const host::detail::rule& r : host::detail::rule_table) codes += " " + std::string(r.code);
    return codes;
}

/// `CODE[,until=YYYY-MM-DD][,reason=TEXT]`; the text may hold commas.
host::suppression read_ignore(const std::string& argument) {
    constexpr std::string_view until = "until=", reason = "reason=";
    const std::string_view text = argument;
    host::suppression s{.code = std::string(text.substr(0, text.find(',')))};
    if (!host::detail::find_rule(s.code))
        refuse("--ignore", s.code, "is not the code of a rule; the codes are" + known_codes());
    for (std::string_view rest = text.substr(s.code.size()); !rest.empty();) {
        rest.remove_prefix(1);
        if (rest.starts_with(reason)) {
            s.reason = rest.substr(reason.size());
            break;
        }
        const std::string part(rest.substr(0, rest.find(',')));
        if (!part.starts_with(until) || s.until)
            refuse("--ignore", part, "is not understood; give CODE[,until=YYYY-MM-DD][,reason=TEXT]");
        s.until = host::detail::parse_date(std::string_view(part).substr(until.size()));
        if (!s.until) refuse("--ignore", part, "names no day; write until=YYYY-MM-DD");
        rest.remove_prefix(part.size());
    }
    return s;
}

void read_suppressions(audit_options& given) {
    for (const std::string& file : given.suppression_files) {
        const host::suppression_list found = host::read_suppressions(file);
        if (!found.problems.empty()) {
            const std::size_t more = found.problems.size() - 1;
            throw CLI::ValidationError("--suppressions",
                                       found.problems.front() +
                                           (more == 0 ? "" : " (and " + std::to_string(more) + " more such lines)"));
        }
        given.suppressions.insert(given.suppressions.end(), found.entries.begin(), found.entries.end());
    }
}

using use_value = std::function<void(const std::string&)>;

CLI::Option* add(CLI::App& app, const char* name, const char* type, const char* help, const use_value& use) {
    return app.add_option_function<std::string>(name, use, help)->type_name(type);
}

/// Each value with an option name of its own: `--ignore CS101 --ignore CS105`.
void add_repeatable(CLI::App& app, const char* name, const char* type, const char* help, const use_value& use) {
    const auto use_each = [use](const std::vector<std::string>& values) {
        for (const std::string& v : values) use(v);
    };
    app.add_option_function<std::vector<std::string>>(name, use_each, help)->type_name(type)->allow_extra_args(false);
}

void add_workload_options(CLI::App& app, host::program& program) {
    add(app, "--accepts-per-second", "RATE", "Connections that the program accepts and closes in a second, at peak",
        [&](const std::string& text) { program.accepts_per_second = rate("--accepts-per-second", text); });
    add(app, "--connects-per-second", "RATE",
        "Connections that it opens in a second to its busiest destination (address and port), at peak",
        [&](const std::string& text) { program.connects_per_second = rate("--connects-per-second", text); });
    add(app, "--backlog", "N", "What it gives to listen(2)", [&](const std::string& text) {
        program.backlog = static_cast<int>(whole_number("--backlog", text, 0, std::numeric_limits<int>::max()));
    });
    add_repeatable(app, "--listen", "PORT", "Port that it listens on; repeatable", [&](const std::string& text) {
        program.listening_ports.push_back(static_cast<std::uint16_t>(whole_number("--listen", text, 1, 65535)));
    });
    add(app, "--idle-time", "SECONDS", "How long a connection of it may be silent and still be wanted",
        [&](const std::string& text) {
            constexpr std::int64_t thirty_days = 30 * 24 * 3600;
            program.idle_time = std::chrono::seconds(whole_number("--idle-time", text, 1, thirty_days));
        });
}

} // namespace

std::vector<close_policy> assumed_policies(const std::string& option, const std::string& name) {
    return choose(assumptions, option, name);
}

double rate(const std::string& option, const std::string& text) {
    const std::optional<double> value = decimal(text);
    if (!value || !(*value > 0) || *value > most_per_second)
        refuse(option, text, "is no rate; give connections per second, as in 250 or 0.5, up to 1000000000");
    return *value;
}

std::optional<double> decimal(const std::string& text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    return read.ec == std::errc{} && read.ptr == end ? std::optional(value) : std::nullopt;
}

std::int64_t whole_number(const std::string& option, const std::string& text, std::int64_t low, std::int64_t high) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || value < low || value > high)
        refuse(option, text,
               "is no whole number from " + std::to_string(low) + " to " + std::to_string(high) + "; give one");
    return value;
}

void add_audit_options(CLI::App& app, audit_options& given) {
    add(app, "--root", "DIR", "Directory that holds proc/ (default: /)", [&](const std::string& directory) {
        if (directory.empty()) refuse("--root", directory, "is not a directory; give one that holds proc/");
        given.root = directory;
    });
    add_judging_options(app, given);
}

void add_judging_options(CLI::App& app, audit_options& given) {
    add_repeatable(app, "--assume", "POLICY",
                   "How the program closes: local (default; first, then drains), peer (its peers first), abort, system "
                   "(it just calls close(2), as most do), or as nginx, haproxy or apache do; repeatable",
                   [&](const std::string& name) {
                       const std::vector<close_policy> policies = assumed_policies("--assume", name);
                       given.policies.insert(given.policies.end(), policies.begin(), policies.end());
                       given.assumed.push_back(name);
                   });
    add(app, "--exposure", "EXPOSURE",
        "How peers reach it: nat (default; many behind few addresses), balancer (all behind a handful), direct or "
        "loopback",
        [&](const std::string& name) { given.program.peers = choose(exposures, "--exposure", name); });
    add_workload_options(app, given.program);
    add_repeatable(app, "--ignore", "CODE[,until=YYYY-MM-DD][,reason=TEXT]",
                   "Rule whose finding does not count, to the end of that day in UTC; repeatable",
                   [&](const std::string& argument) { given.suppressions.push_back(read_ignore(argument)); });
    add_repeatable(app, "--suppressions", "FILE",
                   "File of such rules, one a line: CODE [until=YYYY-MM-DD] [reason], # for comments; repeatable",
                   [&](const std::string& file) { given.suppression_files.push_back(file); });
}

void complete(audit_options& given) {
    if (given.assumed.empty()) {
        given.assumed = {"local"};
        given.policies = {closeside::policies::graceful};
    }
    read_suppressions(given);
}

} // namespace check
