// SPDX-License-Identifier: BSL-1.0
#include "patience.hpp"

#include "../support/observed.hpp"

#include <algorithm>
#include <list>
#include <thread>

namespace lab::restart {

namespace {

using namespace std::chrono_literals;

constexpr auto pace = 250ms;

struct running {
    explicit running(const wait_case& what)
        : built(what.old, legacy::connections, what.left), stopped(steady::now()), found{what, std::nullopt, {}} {}

    void look() {
        const double now = std::chrono::duration<double>(steady::now() - stopped).count();
        std::size_t left = 0;
        for (const auto& [state, count] : built.connections()) left += count;
        const auto value = static_cast<double>(left);
        // Steps: a point where the number changes will do.
        if (found.counted.empty() || found.counted.back().second != value) found.counted.emplace_back(now, value);
        if (built.server().run([] { return bind_port({.reuse_address = true}).error; }) == 0) found.seconds = now;
    }

    scene built;
    steady::time_point stopped;
    waited found;
};

} // namespace

const std::vector<wait_case>& wait_cases() {
    static const std::vector<wait_case> all{
        {"TIME-WAIT, had SO_REUSEADDR", {.reuse_address = true}, {.closed_by_server = 200}},
        {"TIME-WAIT", {}, {.closed_by_server = 200}},
        {"FIN-WAIT-2: peers that do not close", {}, {.kept = 150}},
        {"FIN-WAIT-1, CLOSING, LAST-ACK: peers that are gone", {}, {.silent = 33}},
    };
    return all;
}

std::vector<waited> wait_for_port(std::chrono::seconds limit) {
    const auto deadline = steady::now() + limit;
    std::list<running> all;
    for (const wait_case& one : wait_cases()) all.emplace_back(one).look();
    const auto waiting = [&] {
        return std::any_of(all.begin(), all.end(), [](const running& r) { return !r.found.seconds; });
    };
    while (waiting() && steady::now() < deadline) {
        std::this_thread::sleep_for(pace);
        for (running& one : all)
            if (!one.found.seconds) one.look();
    }
    std::vector<waited> results;
    for (running& one : all) results.push_back(std::move(one.found));
    return results;
}

} // namespace lab::restart
