// SPDX-License-Identifier: BSL-1.0
#include "check/follow_directory.hpp"

#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include <unistd.h>

using check::follow::instance_directory;

namespace {

/// A directory in the place of a tracefs: rmdir(2) refuses one that is not empty, as tracefs one that is read.
struct made_tracefs {
    tests::fake_root root;
    std::string instances = root.path() + "/instances";
    std::string own = instances + "/closeside-" + std::to_string(::getpid());

    made_tracefs() { std::filesystem::create_directories(instances); }
};

} // namespace

TEST_CASE("what a killed process of the same number has left behind is taken away") {
    const made_tracefs made;
    std::filesystem::create_directories(made.own);
    {
        const instance_directory mine(made.root.path());
        CHECK(mine.path() == made.own);
    }
    CHECK(std::filesystem::is_empty(made.instances));
}

TEST_CASE("a process of another PID namespace that has the same number keeps its instance") {
    const made_tracefs made;
    std::filesystem::create_directories(made.own + "/read");
    {
        const instance_directory mine(made.root.path());
        CHECK(mine.path() == made.own + "-1");
    }
    CHECK(std::filesystem::exists(made.own));
    CHECK_FALSE(std::filesystem::exists(made.own + "-1"));
}

TEST_CASE("instances of living processes, and what is not ours, stay") {
    const made_tracefs made;
    for (const char* const name : {"closeside-1", "closeside-", "closeside-x", "closeside-1-2", "other"})
        std::filesystem::create_directories(made.instances + "/" + name);
    { const instance_directory mine(made.root.path()); }
    for (const char* const name : {"closeside-1", "closeside-", "closeside-x", "closeside-1-2", "other"})
        CHECK_MESSAGE(std::filesystem::exists(made.instances + "/" + name), name);
}
