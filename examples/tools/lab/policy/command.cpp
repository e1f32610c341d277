// SPDX-License-Identifier: BSL-1.0
//
// Real connections on loopback, closed by closeside's presets and by plain Asio, against peers of six kinds; what the
// kernel shows of each ending, and whether the close_report says the same.
#include "command.hpp"

#include "json_report.hpp"
#include "result.hpp"
#include "table.hpp"

#include "observation/own_network.hpp"
#include "observation/segment_capture.hpp"
#include "observation/watchdog.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace lab::policy {

namespace {

enum exit_status : int { all_good = 0, disagreement = 1, could_not_run = 70 };

struct options {
    std::vector<std::string> only_servers; ///< as named on the command line; empty: all
    std::vector<std::string> only_peers;
    std::int64_t limit_ms = settings{}.limit.count();
    settings lab;
    std::vector<server_kind> servers{all_servers.begin(), all_servers.end()};
    std::vector<peer_kind> peers{all_peers.begin(), all_peers.end()};
    bool json = false;
    bool stay_here = false;
    bool states_only = false;
};

template <class Kinds>
std::vector<std::string> names_of(const Kinds& kinds) {
    std::vector<std::string> names;
    for (const auto kind : kinds) names.emplace_back(name(kind));
    return names;
}

template <class Kinds, class Kind>
void keep_only(const Kinds& all, const std::vector<std::string>& wanted, std::vector<Kind>& kept) {
    if (wanted.empty()) return;
    kept.clear();
    for (const Kind kind : all)
        if (std::find(wanted.begin(), wanted.end(), name(kind)) != wanted.end()) kept.push_back(kind);
}

void add_options(CLI::App& app, options& chosen) {
    app.add_option("--only", chosen.only_servers, "Only these servers; repeatable")
        ->check(CLI::IsMember(names_of(all_servers)));
    app.add_option("--peer", chosen.only_peers, "Only these peers; repeatable")
        ->check(CLI::IsMember(names_of(all_peers)));
    app.add_option("--bytes", chosen.lab.reply_bytes, "Size of the reply")
        ->check(CLI::Range(std::size_t{64} << 10, std::size_t{16} << 20))
        ->capture_default_str();
    app.add_option("--limit-ms", chosen.limit_ms, "patience and drain_time, in place of the presets' 2 s and 30 s")
        ->check(CLI::Range(200, 10'000))
        ->capture_default_str();
    app.add_flag("--json", chosen.json, "JSON instead of the table; its shape stands below");
    app.add_flag("--states-only", chosen.states_only, "Do not record segments, even if that is permitted");
    app.add_flag("--stay-here", chosen.stay_here, "Do not enter a network namespace of its own");
    app.footer(std::string("Exit status: 0 all reports agree and all promises were kept, 1 not so, 64 usage, 70 could "
                           "not run.\nColour only on a terminal, and never with NO_COLOR set.\n\n") +
               json_shape);
}

void apply(options& chosen) {
    // What `system` promises shows only next to plain close().
    std::vector<std::string>& servers = chosen.only_servers;
    const auto wants = [&](server_kind s) {
        return std::find(servers.begin(), servers.end(), name(s)) != servers.end();
    };
    if (wants(server_kind::system) && !wants(server_kind::asio_close))
        servers.emplace_back(name(server_kind::asio_close));
    keep_only(all_servers, servers, chosen.servers);
    keep_only(all_peers, chosen.only_peers, chosen.peers);
    settings& lab = chosen.lab;
    lab.limit = std::chrono::milliseconds(chosen.limit_ms);
    lab.bound = std::max(lab.bound, lab.write_limit + 4 * lab.limit + std::chrono::seconds(4));
}

std::unique_ptr<observation::segment_capture> open_witness(const options& chosen, lab_result& result) {
    result.witness = "states";
    if (chosen.states_only) return nullptr;
    try {
        auto packets = std::make_unique<observation::segment_capture>();
        result.witness = "packets";
        return packets;
    } catch (const std::system_error& e) {
        result.witness_note = std::string("Segments could not be recorded (") + e.what() +
                              "): FIN and RST are inferred from sampled states and the peers' errno. Root, or a user "
                              "namespace, gives CAP_NET_RAW.";
        return nullptr;
    }
}

/// One row: every peer at once, each cell on threads of its own.
std::vector<cell> run_row(server_kind server, const options& chosen, observation::segment_capture* packets) {
    std::vector<cell> row(chosen.peers.size());
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < row.size(); ++i)
        threads.emplace_back([&, i] { row[i] = run_cell(server, chosen.peers[i], chosen.lab, packets); });
    threads.clear();
    return row;
}

void judge(std::vector<std::vector<cell>> rows, const options& chosen, lab_result& result) {
    const auto plain_row = std::find(chosen.servers.begin(), chosen.servers.end(), server_kind::asio_close);
    for (std::vector<cell>& row : rows) {
        std::vector<judged_cell>& judged = result.rows.emplace_back();
        for (std::size_t i = 0; i < row.size(); ++i) {
            judged_cell& c = judged.emplace_back();
            if (!row[i].failure.empty()) {
                c.facts = row[i];
                continue;
            }
            const cell* plain = nullptr;
            if (plain_row != chosen.servers.end())
                plain = &rows[static_cast<std::size_t>(plain_row - chosen.servers.begin())][i];
            c.disagreements = disagreements(row[i], chosen.lab);
            c.broken = broken_promises(row[i], chosen.lab, plain && plain->failure.empty() ? plain : nullptr);
            c.losses = losses(row[i], chosen.lab);
            c.known = known_loss_of(row[i], chosen.lab);
            c.facts = row[i];
        }
    }
}

lab_result run(options& chosen) {
    lab_result result{};
    result.servers = chosen.servers;
    result.peers = chosen.peers;
    result.namespace_kind =
        to_string(chosen.stay_here ? observation::network::shared : observation::enter_own_network());
    chosen.lab.table = available_source();
    result.lab = chosen.lab;
    utsname system{};
    if (::uname(&system) == 0) result.kernel = system.release;
    const std::unique_ptr<observation::segment_capture> packets = open_witness(chosen, result);

    const bool show_progress = ::isatty(STDERR_FILENO) == 1;
    const observation::watchdog bound("closeside-lab policy",
                                      std::chrono::seconds(30) + chosen.servers.size() * (chosen.lab.bound / 2));
    std::vector<std::vector<cell>> rows;
    for (const server_kind server : chosen.servers) {
        bound.now_at(name(server).data());
        if (show_progress) std::fprintf(stderr, "\r\x1b[Krunning %s ...", name(server).data());
        rows.push_back(run_row(server, chosen, packets.get()));
    }
    if (show_progress) std::fputs("\r\x1b[K", stderr);
    if (packets && packets->dropped() != 0)
        throw std::runtime_error(
            "the kernel could not record every segment; the evidence is incomplete. Run it again.");
    judge(std::move(rows), chosen, result);
    return result;
}

table_style style_for_stdout() {
    table_style style;
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const char* const no_colour = std::getenv("NO_COLOR");
    style.colour = terminal && !(no_colour && *no_colour);
    winsize size{};
    style.one_line_a_cell =
        terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 && size.ws_col < table_width;
    return style;
}

} // namespace

std::function<int()> add_command(CLI::App& app) {
    CLI::App* const command = app.add_subcommand(
        "policy", "every preset and plain Asio against six kinds of peers, beside what the kernel shows");
    const auto chosen = std::make_shared<options>();
    add_options(*command, *chosen);
    return [chosen] {
        apply(*chosen);
        const lab_result result = run(*chosen);
        if (chosen->json)
            std::cout << to_json(result);
        else
            print_table(std::cout, result, style_for_stdout());
        if (!std::cout.flush()) throw std::runtime_error("standard output could not be written");
        return result.failed() != 0 ? could_not_run : result.good() ? all_good : disagreement;
    };
}

} // namespace lab::policy
