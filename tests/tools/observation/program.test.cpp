// SPDX-License-Identifier: BSL-1.0
#include "observation/program.hpp"
#include "observation/process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <stdexcept>
#include <string>

#include <unistd.h>

using namespace std::chrono_literals;

TEST_CASE("a program gets its input and environment, and its output and status come back") {
    const auto r = observation::run_program({"/bin/sh", "-c", "cat; echo $WORD >&2; exit 3"},
                                            {.input = "in", .environment = {{"WORD=word"}}});
    CHECK(r.out == "in");
    CHECK(r.err == "word\n");
    CHECK(r.status == 3);
}

TEST_CASE("a signal is told from an exit status") {
    CHECK(observation::run_program({"sh", "-c", "kill -9 $$"}).status == -SIGKILL);
}

TEST_CASE("a program that takes too long, or whose caller fails meanwhile, is ended") {
    pid_t id = 0;
    const auto note = [&](pid_t started) { id = started; };
    CHECK_THROWS_AS(observation::run_program({"sleep", "60"}, {.limit = 10ms, .meanwhile = note}), std::runtime_error);
    CHECK(::kill(id, 0) != 0);
    const auto fail = [&](pid_t started) {
        id = started;
        throw std::logic_error("meanwhile");
    };
    CHECK_THROWS_AS(observation::run_program({"sleep", "60"}, {.meanwhile = fail}), std::logic_error);
    CHECK(::kill(id, 0) != 0);
}

TEST_CASE("a program that is not there is named, and one that fails says why") {
    CHECK_THROWS_WITH_AS(observation::run_program({"nonesuch"}), "there is no program nonesuch", std::runtime_error);
    CHECK_THROWS_WITH_AS(observation::run_tool({"sh", "-c", "echo why >&2; exit 1"}),
                         doctest::Contains("failed with status 1: why"), std::runtime_error);
}

TEST_CASE("a child process ends with its owner") {
    pid_t id = 0;
    {
        observation::process child([] {
            while (true) ::pause();
            return 0;
        });
        id = child.id();
        CHECK(!child.wait(1ms));
        CHECK(::kill(id, 0) == 0);
    }
    CHECK(::kill(id, 0) != 0);
}
