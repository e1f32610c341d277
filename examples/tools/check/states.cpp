// SPDX-License-Identifier: BSL-1.0
#include "states.hpp"

#include "audit_options.hpp"
#include "command.hpp"
#include "output.hpp"

#include <closeside/detail/kernel/shared_tcp_table.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;

struct command {
    host::states_options what;
    output to;
};

int run(const command& c) {
    // The number that costs nothing first: the walk takes long enough for it to change.
    const std::optional<std::uint64_t> quick = host::time_wait_quick(c.what.root);
    const states_report r{c.what, host::count_states(c.what), quick, closeside::detail::shares_tcp_table(c.what.root)};
    if (r.counted.method == host::tcp_states::source::none)
        return give_up("cannot count the TCP sockets below '" + c.what.root + "': " + r.counted.why_not_better());

    std::ostringstream out;
    switch (c.to.format) {
    case output_format::json: print_states_json(out, r); break;
    case output_format::prometheus: print_states_prometheus(out, r); break;
    default: print_states_text(out, r, look_at_terminal(c.to)); break;
    }
    return deliver(c.to, std::move(out).str(), 0);
}

} // namespace

void add_states(CLI::App& app, action& chosen) {
    const auto given = std::make_shared<command>();
    CLI::App& states = *app.add_subcommand(
        "states", "Counts the TCP sockets of this network namespace by state, IPv4 and IPv6 together");
    states.add_option("--root", given->what.root, "Directory that holds proc/ (default: /)")->type_name("DIR");
    states
        .add_option_function<std::string>(
            "--port",
            [given](const std::string& text) {
                given->what.port = static_cast<std::uint16_t>(whole_number("--port", text, 1, 65535));
            },
            "Counts only sockets with this local port: a listener and its connections (1 to 65535)")
        ->type_name("N");
    states
        .add_option_function<std::string>(
            "--budget",
            [given](const std::string& text) {
                given->what.budget = std::chrono::milliseconds(whole_number("--budget", text, 1, 3'600'000));
            },
            "Stops after so many milliseconds, with what is counted by then (default: 250)")
        ->type_name("MS");
    add_output_options(states, given->to, {output_format::text, output_format::json, output_format::prometheus});
    states.footer("Exit status: 0 counted, 64 usage, 70 could not count or print.");
    states.callback([&chosen, given] {
        if (given->what.root.empty())
            refuse("--root", given->what.root, "is not a directory; give one that holds proc/");
        chosen = [given] { return run(*given); };
    });
}

} // namespace check
