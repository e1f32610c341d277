// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/kernel/own_proc.hpp>

#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/stat.h>

using namespace closeside::detail;
using tests::fake_root;

namespace {

/// A proc/ with the links of namespaces that are given.
class fake_proc {
public:
    fake_proc& shows(const std::string& process, const std::string& network_namespace) {
        const auto ns = root_.path() + "/proc/" + process + "/ns";
        std::filesystem::create_directories(ns);
        std::filesystem::create_symlink(network_namespace, ns + "/net");
        return *this;
    }
    std::string net() const { return own_net(open().get()); }
    std::optional<std::uint64_t> network_namespace() const { return own_network_namespace(open().get()); }

private:
    owned_descriptor open() const { return open_directory(AT_FDCWD, (root_.path() + "/proc").c_str()); }

    fake_root root_;
};

const std::string this_task = "self/task/" + std::to_string(::syscall(SYS_gettid));

} // namespace

TEST_CASE("Of the calling thread and the main one, the calling thread is looked at where the kernel shows it") {
    fake_proc proc;
    proc.shows("self", "net:[1]").shows("thread-self", "net:[2]").shows(this_task, "net:[2]");
    CHECK(proc.net() == "thread-self/net");
    CHECK(proc.network_namespace() == 2);
}

TEST_CASE("Before Linux 3.17 the main thread stands for the calling one, as far as they share the network") {
    fake_proc proc;
    proc.shows("self", "net:[1]");
    SUBCASE("which the threads' own links tell") { proc.shows(this_task, "net:[1]"); }
    SUBCASE("or nothing contradicts") {}
    CHECK(proc.net() == "self/net");
    CHECK(proc.network_namespace() == 1);
}

TEST_CASE("Before Linux 3.17 a thread in another network namespace is not shown the main thread's figures") {
    fake_proc proc;
    proc.shows("self", "net:[1]").shows(this_task, "net:[2]");
    CHECK(proc.net() == "thread-self/net"); // which is not there
    CHECK(proc.network_namespace() == 2);
}

TEST_CASE("Without /proc the network namespace is unknown") {
    CHECK(fake_proc().network_namespace() == std::nullopt);
    CHECK(own_network_namespace(-1) == std::nullopt);
}

TEST_CASE("The running kernel shows this thread's network namespace") {
    struct ::stat status {};
    if (::stat("/proc/thread-self/ns/net", &status) != 0) {
        MESSAGE("skipped: no /proc/thread-self");
        return;
    }
    const owned_descriptor proc = open_directory(AT_FDCWD, "/proc");
    CHECK(own_network_namespace(proc.get()) == status.st_ino);
    CHECK(std::string(own_net(proc.get())) == "thread-self/net");
}
