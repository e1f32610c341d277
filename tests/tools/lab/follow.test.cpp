// SPDX-License-Identifier: BSL-1.0
// Runs the laboratories in this program, and closeside-check follow, whose path CMake defines, in each of their hosts.
#include "followed.hpp"

#include "labs.hpp"
#include "policy/cell.hpp"

#include "observation/host.hpp"
#include "support/in_child.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// Runs `body` where a tracefs is mounted, and expects nothing wrong of what was followed.
template <class Body>
void followed_all_the_way(Body body) {
    const std::string no_right = "no right";
    const auto said = tests::in_own_network(
        [&]() -> std::string {
            // The labs end their servers by it, which are this process's children; doctest would call it a crash.
            std::signal(SIGTERM, SIG_DFL);
            observation::bring_up_loopback();
            if (!tests::mount_own_tracefs()) return no_right;
            tests::verdict found;
            body(found);
            std::string counts;
            for (const auto& [cause, n] : found.causes()) counts += ' ' + cause + ' ' + std::to_string(n);
            return found.wrong() + '\n' + counts;
        },
        100s);
    if (!said || *said == no_right) {
        MESSAGE("SKIPPED: no right to a network namespace, or to mount tracefs");
        return;
    }
    const std::size_t counts = said->rfind('\n');
    MESSAGE("told:", said->substr(counts + 1));
    CHECK(said->size() > counts + 1); // something has ended
    CHECK(said->substr(0, counts) == "");
}

void follow_hosts_of(const char* name) {
    const auto one =
        std::ranges::find_if(lab::laboratories, [&](const lab::laboratory& l) { return l.name == std::string(name); });
    REQUIRE(one != lab::laboratories.end());
    if (!one->run) {
        MESSAGE("SKIPPED: the lab is not built here: ", one->summary);
        return;
    }
    followed_all_the_way([&](tests::verdict& found) {
        const auto of_host = [&](const std::string& host) {
            return host == "nat"                 ? tests::conditions::forwards
                   : name == std::string("loss") ? tests::conditions::loses
                                                 : tests::conditions::ordinary;
        };
        observation::watch_hosts([&](const observation::host& h) {
            return h.run([&] { return std::make_shared<tests::followed>(h.name(), of_host(h.name()), found); });
        });
        one->run({.quick = true, .check = {}});
    });
}

} // namespace

TEST_CASE("network: policy: each ending is told as it passed") {
    followed_all_the_way([](tests::verdict& found) {
        const tests::followed here("policy", tests::conditions::ordinary, found);
        lab::policy::settings quick;
        quick.limit = 300ms;
        for (const auto server : lab::policy::all_servers) {
            std::vector<std::jthread> row;
            for (const auto peer : lab::policy::all_peers)
                row.emplace_back([=] { lab::policy::run_cell(server, peer, quick, nullptr); });
        }
    });
}

TEST_CASE("network: nat: each ending is told as it passed") { follow_hosts_of("nat"); }

TEST_CASE("network: loss: each ending is told as it passed") { follow_hosts_of("loss"); }

TEST_CASE("network: restart: each ending is told as it passed") { follow_hosts_of("restart"); }

TEST_CASE("network: port: each ending is told as it passed") { follow_hosts_of("port"); }

TEST_CASE("network: orphan: each ending is told as it passed") { follow_hosts_of("orphan"); }

TEST_CASE("network: slow_peer: each ending is told as it passed") { follow_hosts_of("slow_peer"); }

TEST_CASE("network: tls: each ending is told as it passed") { follow_hosts_of("tls"); }
