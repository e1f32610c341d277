// SPDX-License-Identifier: BSL-1.0
#include "round.hpp"

#include "load.hpp"
#include "server_process.hpp"

#include "benchmark/support/process.hpp"
#include "support/in_child.hpp"
#include "support/own_network.hpp"

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/prctl.h>
#include <unistd.h>

namespace benchmark_serve {

namespace {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

constexpr std::uint16_t first_port = 8080; ///< nobody else is in the namespace
constexpr unsigned connections_per_burst = 500;
constexpr unsigned time_limit = 60; ///< of a round, in seconds; one takes some four on a quiet machine

/// A server, its clients, and what both have done so far.
class match {
public:
    match(const contender& c, std::uint16_t port) : server_(c, port), clients_(port, c.its_client) { server_.hold(); }

    void burst() {
        clients_.ask(connections_per_burst);
        const auto start = clock::now();
        server_.release();
        clients_time_ += clients_.finish();
        time_ += clock::now() - start;
        server_.hold();
        connections_ += connections_per_burst;
    }

    /// Measures from here on.
    void start_measuring() {
        before_ = server_.used();
        time_ = clients_time_ = {};
        connections_ = 0;
    }

    measurement result() const {
        const auto used = server_.used();
        const seconds running = used.running - before_.running, ready = used.ready - before_.ready;
        return {connections_ / time_.count(), running.count() * 1e6 / connections_,
                (running + clients_time_).count() * 1e6 / connections_, 0, (running + ready) / time_ * 100};
    }

private:
    server_process server_;
    load clients_;
    server_process::times before_{};
    seconds time_{};
    seconds clients_time_{};
    double connections_ = 0;
};

void prepare_network() {
    tests::bring_up_loopback();
    // Too few, and whoever closes first would be spared the work.
    tests::set_sysctl("tcp_max_tw_buckets", "1000000");
}

/// One line for each contender.
std::string play_round(const std::vector<contender>& contenders, unsigned bursts, const companion_maker& beside) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(time_limit);
    prepare_network();
    const std::unique_ptr<companion> other = beside ? beside() : nullptr;
    const auto used = [&] { return other ? other->used() : std::chrono::nanoseconds(0); };
    std::chrono::nanoseconds before{};
    std::vector<std::unique_ptr<match>> matches;
    const auto with_name = [&](std::size_t i, auto act) {
        try {
            act();
        } catch (const std::exception& e) {
            throw std::runtime_error("the server '" + contenders[i].name + "': " + e.what());
        }
    };
    for (std::size_t i = 0; i != contenders.size(); ++i)
        with_name(i, [&] {
            matches.push_back(std::make_unique<match>(contenders[i], static_cast<std::uint16_t>(first_port + i)));
        });
    benchmark_support::pin_to_processor(1); // after the servers, which inherit where they may run
    for (unsigned burst = 0; burst <= bursts; ++burst) {
        for (std::size_t turn = 0; turn != matches.size(); ++turn) {
            const std::size_t i = (turn + burst) % matches.size();
            with_name(i, [&] { matches[i]->burst(); });
        }
        if (burst != 0) continue;
        for (const auto& m : matches) m->start_measuring(); // memory and caches are warm
        before = used();
    }
    const double for_each = std::chrono::duration<double, std::micro>(used() - before).count() /
                            connections_of_round(contenders.size(), bursts);

    std::ostringstream out;
    for (const auto& m : matches) {
        const measurement r = m->result();
        out << r.connections_per_second << ' ' << r.microseconds << ' ' << r.microseconds_of_both << ' ' << for_each
            << ' ' << r.busy << '\n';
    }
    return out.str();
}

} // namespace

bool can_measure() {
    return tests::in_own_network([] { return std::string(); }).has_value();
}

double connections_of_round(std::size_t contenders, unsigned bursts) {
    return static_cast<double>(contenders) * bursts * connections_per_burst;
}

std::vector<measurement> measure_round(const std::vector<contender>& contenders, unsigned bursts,
                                       const companion_maker& beside) {
    const std::string text = tests::in_own_network([&] {
                                 return play_round(contenders, bursts, beside);
                             }).value_or("no right to a namespace");
    std::istringstream lines(text);
    std::vector<measurement> all;
    for (measurement m{}; lines >> m.connections_per_second >> m.microseconds >> m.microseconds_of_both >>
                          m.microseconds_beside >> m.busy;)
        all.push_back(m);
    if (all.size() != contenders.size())
        throw std::runtime_error("a round failed or took more than " + std::to_string(time_limit) + " s: " + text);
    return all;
}

} // namespace benchmark_serve
