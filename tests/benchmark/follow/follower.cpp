// SPDX-License-Identifier: BSL-1.0
#include "follower.hpp"

#include "support/in_child.hpp"
#include "tools/check/following.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>

namespace benchmark_follow {

namespace {

using benchmark_serve::companion;

class follower : public companion {
public:
    follower(way how, int told)
        : how_(how), told_(told),
          tool_({"--format", how == way::json ? "json" : "text"}, "follow", how == way::json ? "" : "/dev/null") {
        if (!tool_.is_ready()) throw std::runtime_error("closeside-check follow is not ready: " + tool_.err());
        if (how == way::trace_alone) tool_.signal(SIGSTOP);
    }
    ~follower() override {
        if (how_ == way::trace_alone) return; // killed
        const bool whole = tool_.stop() == 0 && tool_.err().find("missing") == std::string::npos;
        if (how_ != way::json) return;
        const std::string lines = tool_.out();
        ::dprintf(told_, "%td %d\n", std::ranges::count(lines, '\n'), whole ? 0 : 1);
    }

    std::chrono::nanoseconds used() const override {
        std::chrono::nanoseconds::rep running = 0;
        std::ifstream("/proc/" + std::to_string(tool_.id()) + "/schedstat") >> running;
        return std::chrono::nanoseconds(running);
    }

private:
    way how_;
    int told_;
    tests::following tool_;
};

} // namespace

std::unique_ptr<companion> follow(way how, int told) {
    if (how == way::not_at_all) return nullptr;
    if (!tests::mount_own_tracefs()) throw std::runtime_error("no tracefs can be mounted");
    return std::make_unique<follower>(how, told);
}

bool can_follow() {
    const auto said = tests::in_own_network([] { return std::string(tests::mount_own_tracefs() ? "" : "no tracefs"); });
    return said && said->empty();
}

} // namespace benchmark_follow
