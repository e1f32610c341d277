// SPDX-License-Identifier: BSL-1.0
#include "experiment.hpp"

#include "../support/observed.hpp"
#include "../support/tcp_sockets.hpp"

#include "healthy.hpp"
#include "peers.hpp"
#include "server.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

#include <sys/resource.h>

namespace lab::slow_peer {

namespace {

const std::string server_address = "198.51.100.1";
constexpr auto patience_with_machine = 20s;

/// Two hosts; on one of them server processes, on the other the peers in a process of their own.
class scene {
public:
    scene() { link(server, server_address + "/24", client, "198.51.100.2/24"); }

    process serve_there(serving what, std::uint16_t echo_at, std::size_t peers, scoreboard& board) const {
        const inside there(server);
        process serving_process([&, what] { return serve(what, echo_at, peers, board); });
        await([&] { return board.listening.load(); }, "the server does not listen");
        return serving_process;
    }

    process connect_peers(std::size_t count, bool only_last_kind, scoreboard& board) const {
        const inside there(client);
        process peers(
            [&, count, only_last_kind] { return keep_waiting(server_address, count, only_last_kind, board); });
        await([&] { return board.accepted == count; }, "the peers are not connected");
        return peers;
    }

    healthy_client connect_healthy(std::uint16_t port) const {
        const inside there(client);
        return healthy_client(server_address, port);
    }

    template <class Condition>
    static void await(Condition condition, const char* or_else) {
        if (!eventually(condition, patience_with_machine)) throw std::runtime_error(or_else);
    }

    host server{"server"};
    host client{"client"};
};

std::size_t count_descriptors(const process& of) {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(of.id()) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

weight weigh(const process& server, scoreboard& board) {
    const std::uint32_t mine = ++board.weighing_asked;
    scene::await([&] { return board.weighing_done == mine; }, "the server's loop does not turn");
    return {count_descriptors(server), board.heap};
}

/// Pings each client in turn, every two milliseconds, until `over()`.
template <class Condition>
void ping(std::vector<healthy_client*> clients, Condition over, std::chrono::milliseconds limit) {
    const auto deadline = steady::now() + limit;
    for (auto due = steady::now(); !over(); due = std::max(due + 2ms, steady::now())) {
        if (due > deadline) throw std::runtime_error("not every close has ended in time");
        for (healthy_client* one : clients) one->ping();
        std::this_thread::sleep_until(due + 2ms);
    }
}

template <class Duration>
auto after(Duration time) {
    return [end = steady::now() + time] { return steady::now() >= end; };
}

std::vector<close_record> records_of(const scoreboard& board) {
    return {board.closes.begin(), board.closes.begin() + static_cast<std::ptrdiff_t>(board.begun.load())};
}

double ms(std::int64_t us) { return static_cast<double>(us) / 1000; }

} // namespace

std::size_t affordable_peers(std::size_t wanted) {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) throw std::system_error(errno, std::generic_category(), "getrlimit");
    // Asio is asked for room before; an until_acked close takes a second descriptor; some are the programs' own.
    const auto per_peer = [](std::size_t peers) { return peers + peers / kinds.size() + 100; };
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, std::max<rlim_t>(files.rlim_cur, per_peer(wanted)));
    if (::setrlimit(RLIMIT_NOFILE, &files) != 0) throw std::system_error(errno, std::generic_category(), "setrlimit");
    while (wanted > kinds.size() && per_peer(wanted) > files.rlim_cur) wanted -= kinds.size();
    return wanted;
}

outcome close_on_slow_peers(std::size_t peers) {
    const scene hosts;
    const shared_scoreboard board, control_board;
    const process server = hosts.serve_there(serving::closeside_streams, echo_port, peers, *board);
    const process control = hosts.serve_there(serving::nothing, control_echo_port, 0, *control_board);
    healthy_client healthy = hosts.connect_healthy(echo_port), beside = hosts.connect_healthy(control_echo_port);
    const std::chrono::milliseconds length = longest_limit + peers * 1000ms / closes_per_second;
    outcome found;

    ping({&healthy, &beside}, after(length), 2 * length + patience_with_machine);
    found.healthy.idle = healthy.take();
    static_cast<void>(beside.take());

    found.before = weigh(server, *board);
    const process slow = hosts.connect_peers(peers, false, *board);
    found.open = found.most = weigh(server, *board);

    board->begin = true;
    const auto over_or_time_to_weigh = [&] {
        return [&, pause = after(250ms)] { return board->ended == peers || pause(); };
    };
    while (board->ended < peers) {
        ping({&healthy, &beside}, over_or_time_to_weigh(), length + patience_with_machine);
        const weight now = weigh(server, *board);
        found.most = {std::max(found.most.descriptors, now.descriptors), std::max(found.most.heap, now.heap)};
    }
    found.healthy.waiting = healthy.take();
    found.healthy.control = beside.take();
    found.after = weigh(server, *board);

    found.closes = records_of(*board);
    found.whole_replies = board->whole_replies;
    found.worst_gap_ms = ms(board->worst_gap_us);
    found.worst_two_gaps_ms = ms(board->worst_two_gaps_us);
    found.worst_work_ms = ms(board->worst_work_us);
    found.worst_starved_ms = ms(board->worst_starved_us);
    for (const auto& [at, count] : waiting_over_time(found.closes))
        found.most_waiting = std::max(found.most_waiting, static_cast<std::size_t>(count));
    for (const tcp_state state : {tcp_state::fin_wait1, tcp_state::fin_wait2})
        found.orphans += count(hosts.server, state);
    return found;
}

blocked close_with_blocking_linger(std::size_t peers) {
    const scene hosts;
    const shared_scoreboard board;
    const process server = hosts.serve_there(serving::blocking_linger, echo_port, peers, *board);
    healthy_client healthy = hosts.connect_healthy(echo_port);
    const process slow = hosts.connect_peers(peers, true, *board);
    board->begin = true;
    ping(
        {&healthy}, [&] { return board->ended == peers; }, peers * blocking_linger_time + patience_with_machine);
    return {records_of(*board), healthy.take()};
}

std::vector<std::pair<double, double>> waiting_over_time(const std::vector<close_record>& closes) {
    std::vector<std::pair<steady::time_point, int>> changes;
    for (const close_record& one : closes) {
        changes.emplace_back(one.begun, 1);
        changes.emplace_back(one.begun + one.elapsed, -1);
    }
    std::sort(changes.begin(), changes.end());
    std::vector<std::pair<double, double>> points;
    double count = 0;
    for (const auto& [at, change] : changes)
        points.emplace_back(std::chrono::duration<double>(at - changes.front().first).count(), count += change);
    return points;
}

} // namespace lab::slow_peer
