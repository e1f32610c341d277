// SPDX-License-Identifier: BSL-1.0
// The host check where servers really run: without privileges, in containers, in user namespaces, on threads that have
// gone to another network namespace.
#include <closeside/host.hpp>

#include "support/in_child.hpp"
#include "support/loopback_tcp.hpp"
#include "support/own_network.hpp"
#include "support/proc_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <unistd.h>

namespace cs = closeside;
namespace host = closeside::host;
using namespace tests;
using host::counter;
using host::key;
using host::severity;

namespace {

const std::string no_right = "no right";

/// The body's text in a network namespace with such a /proc; nothing if that cannot be had.
template <class Body>
std::optional<std::string> in_place(proc_view v, Body body) {
    auto text = in_own_network([&]() -> std::string {
        set_sysctl("tcp_rfc1337", "1");
        return take_proc_view(v) ? body() : no_right;
    });
    if (text && *text != no_right) return text;
    MESSAGE("SKIPPED: no right to what this takes: ", std::string(to_string(v)));
    return std::nullopt;
}

std::optional<host::finding> find(std::string_view code, const host::snapshot& seen) {
    for (host::finding& f : host::audit(seen))
        if (f.code == code) return std::move(f);
    return std::nullopt;
}

/// "CS001 CS101 …"
std::string codes(const host::snapshot& seen) {
    std::string text;
    for (const host::finding& f : host::audit(seen)) text += (text.empty() ? "" : " ") + std::string(f.code);
    return text;
}

/// What a server's log and its start come to there.
std::string startup() {
    std::ostringstream log;
    const auto worst = cs::warn_at_startup<cs::policies::graceful>(log);
    std::ostringstream again;
    const std::error_code strict = cs::check_at_startup<cs::policies::graceful>(again);
    const auto lines = std::ranges::count(log.str(), '\n');
    return std::string(worst ? to_string(*worst) : "nothing") + ", " + std::to_string(lines) + " lines" +
           (log.str() == again.str() ? "" : " that differ") + (strict ? ", refused: " : ", starts: ") + log.str();
}

} // namespace

TEST_CASE("network: a user without any right sees every value, and what is wrong with them") {
    if (::geteuid() != 0) {
        MESSAGE("SKIPPED: not root, so every other test has shown it already");
        return;
    }
    const auto text = in_own_network([]() -> std::string {
        set_sysctl("tcp_rfc1337", "1");
        constexpr uid_t nobody = 65534;
        if (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0) return no_right;
        const auto seen = host::take_snapshot();
        std::string unseen;
        for (const host::detail::key_facts& f : host::detail::key_table)
            if (seen[f.id].status == host::key_status::denied || seen[f.id].status == host::key_status::malformed)
                unseen += std::string(f.name) + " ";
        const bool counted = seen.count(counter::tw_overflow) && seen.sockets.time_wait;
        return unseen + (counted ? "counted, " : "not counted, ") + startup();
    });
    REQUIRE(text);
    CAPTURE(*text);
    CHECK(text->starts_with("counted, critical, 1 lines, refused: CS101 critical: [net.ipv4.tcp_rfc1337=1]"));
}

TEST_CASE("network: in a user namespace the finding says how its root sets it") {
    // As `unshare -Urn` has it, by a process without any privilege.
    const auto text = in_unprivileged_child([]() -> std::string {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return no_right;
        set_sysctl("tcp_rfc1337", "1");
        const auto seen = host::take_snapshot();
        const auto found = find("CS101", seen);
        const std::string before = found ? std::string(to_string(found->severity)) + ": " + found->fix : "nothing";
        set_sysctl("tcp_rfc1337", "0");
        return std::string(to_string(seen.space)) + ", " + before +
               (find("CS101", host::take_snapshot()) ? ", stays" : ", goes");
    });
    if (text == no_right) {
        MESSAGE("SKIPPED: no right to user namespaces");
        return;
    }
    CAPTURE(text);
    CHECK(text.starts_with("child, critical: Run `sysctl -w net.ipv4.tcp_rfc1337=0` as root inside this network "
                           "namespace, and set it for good in what starts the container ("));
    CHECK(text.ends_with(", goes"));
}

TEST_CASE("network: where /proc/sys is read-only the finding says that it cannot be set from inside") {
    const auto text = in_place(proc_view::sys_read_only, []() -> std::string {
        const auto seen = host::take_snapshot();
        const auto found = find("CS101", seen);
        if (write_sysctl("net.ipv4.tcp_rfc1337", "0") != EROFS) return "writable";
        return (found ? found->fix : "nothing") + "; " + startup();
    });
    if (!text) return;
    CAPTURE(*text);
    CHECK(text->starts_with("Set net.ipv4.tcp_rfc1337=0 in what starts the container ("));
    CHECK(text->find("/proc/sys/net is read-only here, so it cannot be set from inside") != std::string::npos);
    CHECK(text->find("; critical, 1 lines, refused: CS101 critical: ") != std::string::npos);
}

TEST_CASE("network: where there is nothing to look at, that is all that is said, and a server starts") {
    proc_view view{};
    bool counted = false;
    SUBCASE("/proc/sys is masked") {
        view = proc_view::sys_masked;
        counted = true;
    }
    SUBCASE("/proc shows processes only") { view = proc_view::processes_only; }
    SUBCASE("there is no /proc") { view = proc_view::absent; }
    const auto text = in_place(view, []() -> std::string {
        const auto seen = host::take_snapshot();
        return std::to_string(seen.error) + ", " + codes(seen) + ", " +
               (seen.sockets.time_wait ? "counted, " : "not counted, ") + startup();
    });
    if (!text) return;
    CAPTURE(*text);
    CHECK(text->starts_with(std::to_string(ENOENT) + ", CS001, "));
    CHECK(text->find("warning, 1 lines, starts: CS001 warning: No TCP setting can be read below /: No such file or "
                     "directory. Effect: ") != std::string::npos);
    CHECK((text->find(", counted, ") != std::string::npos) == counted);
}

TEST_CASE("network: a thread that has gone to another namespace sees that one's values, counters and sockets") {
    const auto text = in_own_network([]() -> std::string {
        bring_up_loopback();
        set_sysctl("tcp_fin_timeout", "41");
        constexpr int closes = 7;
        int there = -1;
        std::thread([&] {
            if (::unshare(CLONE_NEWNET) != 0) return;
            bring_up_loopback();
            set_sysctl("tcp_fin_timeout", "42");
            set_sysctl("tcp_rfc1337", "1"); // a late RST ends no TIME-WAIT
            loopback_tcp::serve_and_close_first(closes);
            there = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        }).join();
        const descriptor other(there);
        const auto describe = [](const host::snapshot& s) {
            return s[key::tcp_fin_timeout].text + ": " + std::to_string(s.sockets.time_wait.value_or(-1)) +
                   " TIME-WAIT, " + std::to_string(s.count(counter::passive_opens).value_or(99)) + " accepted, " +
                   (find("CS101", s) ? "CS101" : "nothing") + "; ";
        };
        std::string moved = "cannot move; ";
        std::thread([&] {
            if (::setns(other.get(), CLONE_NEWNET) == 0) moved = describe(host::take_snapshot());
        }).join();
        return moved + describe(host::take_snapshot());
    });
    if (!text) {
        MESSAGE("SKIPPED: no right to make a network namespace");
        return;
    }
    CHECK(*text == "42: 7 TIME-WAIT, 7 accepted, CS101; 41: 0 TIME-WAIT, 0 accepted, nothing; ");
}
