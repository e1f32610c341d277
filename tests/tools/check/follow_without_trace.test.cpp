// SPDX-License-Identifier: BSL-1.0
// Runs the program itself in network namespaces; CLOSESIDE_CHECK is its path, defined by CMake.
#include "following.hpp"

#include "support/in_child.hpp"
#include "support/loopback_tcp.hpp"
#include "support/own_network.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <regex>
#include <string>
#include <utility>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

using nlohmann::json;
using tests::descriptor;
using tests::following;
using namespace std::chrono_literals;

namespace {

const std::string no_right = "no right";

/// As a sandbox does: socket(AF_NETLINK, ...) fails with EPERM, for the programs that are executed too.
bool forbid_netlink() {
    ::sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(::seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(::seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const ::sock_fprog program{std::size(filter), filter};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

} // namespace

TEST_CASE("network: without a tracefs closeside-check follow tells which connections end, and that it knows no more") {
    const auto said = tests::in_own_network([]() -> std::string {
        tests::bring_up_loopback();
        if (!tests::leave_tracefs()) return no_right;
        following tool;
        json e;
        // There is no way to see that it listens, but that it tells.
        for (std::uint16_t port = 20000; port != 20100 && e.is_null(); ++port) {
            tests::loopback_tcp::serve_and_close_first(1, port);
            e = tool.ending(tests::loopback_tcp::service, port, 1s);
        }
        if (tool.stop() != 0) return "another status";
        if (e.is_null()) return "nothing told of";
        const std::string err = tool.err();
        if (err.find("no tracefs") == err.npos || err.find("mount -t tracefs") == err.npos ||
            err.find("unknown") == err.npos)
            return "not said: " + err;
        if (std::ranges::count(err, '\n') != 1) return "said more than once: " + err;
        return e.at("ended_by") == "unknown" && e.at("first_fin") == "unknown" && e.at("states") == json::array()
                   ? ""
                   : e.dump();
    });
    if (!said || *said == no_right) {
        MESSAGE("SKIPPED: no right to a network namespace, or to one of mounts");
        return;
    }
    CHECK(*said == "");
}

TEST_CASE("where AF_NETLINK is forbidden closeside-check follow and top name what is missing, and end with 70") {
    for (const char* const command : {"follow", "top"}) {
        const std::string said = tests::in_child([&]() -> std::string {
            if (!forbid_netlink()) return "no seccomp";
            const tests::program_result r = tests::check({command, "--for", "1"});
            const bool right = r.status == 70 && r.out.empty() &&
                               std::regex_match(r.err, std::regex("closeside-check: [^\n]*CAP_NET_ADMIN[^\n]*\n"));
            return right ? "" : std::to_string(r.status) + r.out + r.err;
        });
        CHECK(said == "");
    }
}

TEST_CASE("closeside-check follow and top answer a wrong argument with one line that names it and the cure, and 64") {
    const std::pair<const char*, const char*> cases[] = {
        {"--port", "0"},  {"--port", "65536"}, {"--port", "http"}, {"--for", "0"},           {"--for", "-1"},
        {"--for", "1.5"}, {"--peer", "here"},  {"--peer", ""},     {"--peer", "1.2.3.4/33"}, {"--peer", "\x1b[2J"}};
    for (const char* const command : {"follow", "top"})
        for (const auto& [option, value] : cases) {
            const tests::program_result r = tests::check({command, option, value});
            CAPTURE(r.err);
            CHECK(r.status == 64);
            CHECK(r.out.empty());
            CHECK(std::regex_match(r.err, std::regex("closeside-check: [^\n\x1b]*\n")));
            CHECK(r.err.find("give") != std::string::npos);
        }
    CHECK(tests::check({"top", "--interval", "0"}).status == 64);
    CHECK(tests::check({"follow", "--format", "yaml"}).status == 64);
}
