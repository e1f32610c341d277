// SPDX-License-Identifier: BSL-1.0
#include "command.hpp"
#include "follow_options.hpp"
#include "follow_output.hpp"
#include "follow_session.hpp"
#include "follow_watch.hpp"
#include "note.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include <unistd.h>

namespace check {

namespace {

using namespace std::chrono_literals;

/// How long an ending waits at most until it is told. Looking more often costs more and tells nothing else.
constexpr auto tick = 50ms;
/// How often a file for a collector is written anew.
constexpr auto file_interval = 5s;
/// How often it is seen whether something is missing.
constexpr auto loss_interval = 1s;

struct command {
    follow::follow_options what;
    output to{};
};

/// Of text and JSON: lines go to standard output as they come, or, for a file, are kept until the end.
class line_sink {
public:
    explicit line_sink(const output& to) : to_(to), on_(look_at_terminal(to)) {}

    void add(const follow::ending& e) {
        if (to_.format == output_format::prometheus) return;
        if (kept_so_far() > most_kept) {
            ++left_out_;
            return;
        }
        std::ostream& out = to_.file.empty() ? std::cout : kept_;
        if (to_.format == output_format::json)
            follow::print_json(out, e);
        else
            follow::print_text(out, e, on_);
    }

    /// False if nobody reads any more.
    bool flush() { return !to_.file.empty() || std::cout.flush().good(); }

    std::string kept() { return std::move(kept_).str(); }
    std::uint64_t left_out() const { return left_out_; }

private:
    static constexpr std::streamoff most_kept = 256 << 20;
    std::streamoff kept_so_far() { return to_.file.empty() ? 0 : std::streamoff(kept_.tellp()); }

    const output& to_;
    terminal on_;
    std::ostringstream kept_;
    std::uint64_t left_out_ = 0;
};

std::string metrics_of(const follow::summary& s) {
    std::ostringstream out;
    follow::print_prometheus(out, s);
    return std::move(out).str();
}

/// What is printed at the end, after the lines.
std::string last_word(const output& to, const follow::summary& s) {
    std::ostringstream out;
    if (to.format == output_format::text) {
        out << "\n";
        follow::print_summary(out, s, look_at_terminal(to));
    }
    return to.format == output_format::prometheus ? metrics_of(s) : std::move(out).str();
}

int run(const command& c) {
    follow::session session(c.what.time);
    const auto watch = follow::open_watch(c.what);
    if (!watch) return status_blind;
    line_sink lines(c.to);
    follow::summary s;
    s.traced = watch->blind_because().empty();
    const auto take = [&](const std::vector<follow::ending>& endings) {
        for (const follow::ending& e : endings) {
            s.counts.add(e);
            lines.add(e);
        }
        s.elapsed = session.elapsed();
        return lines.flush();
    };
    const auto nobody_reads = [] { return errno == EPIPE ? 0 : give_up("cannot write to standard output"); };
    auto next_file = std::chrono::steady_clock::now() + file_interval, next_loss = next_file;
    while (session.wait(tick)) {
        if (!take(watch->next())) return nobody_reads();
        const auto now = std::chrono::steady_clock::now();
        if (now >= next_loss) {
            next_loss = now + loss_interval;
            if (const bool before = s.lost.any(); (s.lost = watch->lost()).any() && !before)
                say_note("more connections end than can be followed: some are not told of");
        }
        if (c.to.format == output_format::prometheus && !c.to.file.empty() && now >= next_file) {
            next_file = now + file_interval;
            s.lost = watch->lost();
            if (const int status = deliver(c.to, metrics_of(s), 0)) return status;
        }
    }
    if (!take(watch->next()) || !take(watch->rest())) return nobody_reads();
    s.lost = watch->lost();
    if (c.to.format == output_format::json && !c.to.file.empty() && lines.left_out() != 0)
        say_note(std::to_string(lines.left_out()) + " endings were too many for '" + c.to.file + "'");
    // Of JSON every line is an ending, so that what is missing is said elsewhere.
    if (c.to.format == output_format::json && s.lost.any())
        follow::print_losses(std::cerr, s, look_at_terminal_of_notes());
    return deliver(c.to, lines.kept() + last_word(c.to, s), 0);
}

} // namespace

void add_follow(CLI::App& app, action& chosen) {
    CLI::App& follow = *app.add_subcommand(
        "follow", "Tells of every connection that ends in this network namespace: who ended it, how, and why");
    const auto given = std::make_shared<command>();
    follow::add_follow_options(follow, given->what);
    add_output_options(follow, given->to, {output_format::text, output_format::json, output_format::prometheus});
    follow.footer(
        "An ending is told when the kernel does away with the socket: a program that holds the descriptor of a dead\n"
        "connection delays it. The word in brackets, `explain` in JSON, is for `closeside-check explain`. A "
        "connection\n"
        "with both ends here is told twice. Text and JSON go to standard output line by line, to a file at the end;\n"
        "metrics are printed at the end, and written to a file every 5 s.\n\n"
        "Needs a tracefs that may be written: root of the host. Without, only the ends of sockets are seen, and\n"
        "`ended_by` is unknown. It has a tracing instance of its own, and touches nothing of anybody else's.\n\n"
        "Exit status: 0 ended by its time or a signal, 64 usage, 70 could not look or print.");
    follow.callback([&chosen, given] { chosen = [given] { return run(*given); }; });
}

} // namespace check
