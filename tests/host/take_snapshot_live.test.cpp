// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>
#include <closeside/host/take_snapshot.hpp>

#include "support/in_child.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

namespace host = closeside::host;
using host::key;

namespace {

bool write_key(const char* path, const char* value) {
    std::ofstream file(path);
    file << value << std::flush;
    return file.good();
}

constexpr const char* skipped = "SKIPPED: neither root nor user namespaces give the right to a network namespace";

} // namespace

TEST_CASE("the running host is seen without any privilege") {
    const auto text = tests::in_unprivileged_child([] {
        const auto seen = host::take_snapshot();
        return std::to_string(seen.error) + (seen.number(key::tcp_fin_timeout) ? " seen" : " blind") +
               (seen.kernel.empty() ? " unknown" : " known");
    });
    CHECK(text == "0 seen known");
}

TEST_CASE("the kernel of the running host is known by its release, the namespace by its inode") {
    const auto seen = host::take_snapshot();
    struct ::stat net {};
    REQUIRE(::stat("/proc/thread-self/ns/net", &net) == 0);
    CHECK(seen.netns == net.st_ino);
    std::string release;
    std::getline(std::ifstream("/proc/sys/kernel/osrelease") >> std::ws, release);
    CHECK(seen.kernel == release);
}

TEST_CASE("network: tcp_rfc1337 set in a namespace is seen there and is critical for a program that closes first") {
    const auto text = tests::in_own_network([]() -> std::string {
        if (!write_key("/proc/sys/net/ipv4/tcp_rfc1337", "1")) return "cannot write tcp_rfc1337";
        std::string found;
        for (const auto& f : host::audit(host::take_snapshot(), host::exposure::nat))
            if (f.severity != host::severity::note) found += std::string(f.code) + " " + to_string(f.severity);
        return found;
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "CS101 critical");
}

TEST_CASE("network: a new namespace is a child, and the key that is the host's alone is hidden in it") {
    const auto text = tests::in_own_network([]() -> std::string {
        const auto seen = host::take_snapshot();
        return std::string(to_string(seen.space)) + ", tcp_max_orphans " +
               to_string(seen[key::tcp_max_orphans].status) + ", tcp_fin_timeout " +
               to_string(seen[key::tcp_fin_timeout].status);
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "child, tcp_max_orphans hidden, tcp_fin_timeout present");
}

TEST_CASE("network: a thread that moved to another namespace sees that one, while the others see theirs") {
    const auto text = tests::in_own_network([]() -> std::string {
        if (!write_key("/proc/sys/net/ipv4/tcp_fin_timeout", "41")) return "cannot write tcp_fin_timeout";
        host::snapshot moved;
        bool failed = false;
        std::thread([&] {
            failed = ::unshare(CLONE_NEWNET) != 0;
            moved = host::take_snapshot();
        }).join();
        if (failed) return "the thread cannot leave";
        const auto stayed = host::take_snapshot();
        return stayed[key::tcp_fin_timeout].text + " " + moved[key::tcp_fin_timeout].text +
               (moved.netns && stayed.netns && moved.netns != stayed.netns ? " apart" : " together");
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "41 60 apart");
}
