// SPDX-License-Identifier: BSL-1.0
#include "audit_options.hpp"
#include "command.hpp"
#include "follow_options.hpp"
#include "follow_output.hpp"
#include "follow_session.hpp"
#include "follow_watch.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

namespace check {

namespace {

using namespace std::chrono_literals;

constexpr auto tick = 50ms;

struct command {
    follow::follow_options what;
    std::chrono::seconds interval{2};
};

/// How many rows fit into the terminal; 0: all.
std::size_t rows_of_terminal() {
    constexpr std::size_t around = 7; // the head, what is missing, and the line of the cursor
    ::winsize size{};
    if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_row > around + 3 ? size.ws_row - around : 3;
}

/// False if nobody reads any more.
bool show(const follow::summary& s, const follow::tally& before, std::chrono::duration<double> since) {
    const terminal on = look_at_terminal({});
    std::ostringstream screen;
    if (on.interactive) screen << "\x1b[H\x1b[J";
    follow::print_top(screen, s, before, since, on, rows_of_terminal());
    std::cout << screen.str();
    return std::cout.flush().good();
}

int run(const command& c) {
    follow::session session(c.what.time);
    const auto watch = follow::open_watch(c.what);
    if (!watch) return status_blind;
    follow::summary s;
    s.traced = watch->blind_because().empty();
    follow::tally before;
    auto shown = std::chrono::steady_clock::now();
    for (bool goes_on = true; goes_on;) {
        goes_on = session.wait(tick);
        for (const follow::ending& e : goes_on ? watch->next() : watch->rest()) s.counts.add(e);
        const auto now = std::chrono::steady_clock::now();
        if (goes_on && now < shown + c.interval) continue;
        s.elapsed = session.elapsed();
        s.lost = watch->lost();
        if (!show(s, before, now - shown)) return errno == EPIPE ? 0 : give_up("cannot write to standard output");
        before = s.counts;
        shown = now;
    }
    return 0;
}

} // namespace

void add_top(CLI::App& app, action& chosen) {
    CLI::App& top = *app.add_subcommand(
        "top", "Counts how connections end in this network namespace, by reason and service, again and again");
    const auto given = std::make_shared<command>();
    follow::add_follow_options(top, given->what);
    top.add_option_function<std::string>(
           "--interval",
           [given](const std::string& text) {
               given->interval = std::chrono::seconds(whole_number("--interval", text, 1, 3600));
           },
           "Seconds between two counts (1 to 3600, default: 2)")
        ->type_name("SECONDS");
    top.footer("ALL counts since the start, PER S what came since the count before. A service `:443` is this host's,\n"
               "`to :443` one that this host is a client of: its own port is from net.ipv4.ip_local_port_range.\n"
               "EXPLAIN is a word for `closeside-check explain`. Where standard output is no terminal, the counts are\n"
               "printed one below the other. Rights and exit status: as of `closeside-check follow`.");
    top.callback([&chosen, given] { chosen = [given] { return run(*given); }; });
}

} // namespace check
