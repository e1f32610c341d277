// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/states.hpp>

#include "support/every_state.hpp"
#include "support/in_child.hpp"
#include "support/own_mounts.hpp"
#include "support/own_network.hpp"
#include "support/run_program.hpp"
#include "support/time_wait_sockets.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace host = closeside::host;
using states_method = host::tcp_states::source;
using host::tcp_state;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds patient(20000);
constexpr states_method tables[] = {states_method::tcpdiag, states_method::tcpdiag_sockstat, states_method::proc};
constexpr states_method port_tables[] = {states_method::tcpdiag, states_method::proc};

const std::string skipped = "SKIPPED: no right to namespaces of one's own, as root or through user namespaces";
const std::string no_ss = "SKIPPED: ss (package iproute2) is not installed";

using counts = std::map<std::string, std::uint64_t>;

/// Without those that are 0.
counts counted(const host::tcp_states& s) {
    counts c;
    for (const tcp_state state : host::all_tcp_states)
        if (const auto n = s.count(state).value_or(0)) c[to_string(state)] = n;
    return c;
}

counts count_by(states_method method, std::uint16_t port = 0) {
    const auto s = host::count_states({.port = port, .budget = patient, .only = method});
    return s.exact && s.method == method ? counted(s) : counts{{"not exact: " + s.why_not_better(), 1}};
}

std::string path_of_ss() {
    for (const char* const path : {"/usr/bin/ss", "/bin/ss", "/usr/sbin/ss", "/sbin/ss"})
        if (::access(path, X_OK) == 0) return path;
    return {};
}

/// As `ss -Htan` lists them, under the RFC's names.
counts count_by_ss() {
    const std::map<std::string, std::string> names{
        {"ESTAB", "ESTABLISHED"}, {"SYN-RECV", "SYN-RECEIVED"}, {"UNCONN", "CLOSED"}};
    std::istringstream lines(tests::run_program({path_of_ss(), "-Htan"}).out);
    counts c;
    for (std::string line; std::getline(lines, line);) {
        const std::string name = line.substr(0, line.find(' '));
        ++c[names.contains(name) ? names.at(name) : name];
    }
    return c;
}

std::string text_of(const counts& c) {
    std::string text;
    for (const auto& [name, n] : c) text += name + " " + std::to_string(n) + "\n";
    return text;
}

/// Polls, since segments take their time; the last of what was seen.
template <class See>
std::string settled(const std::string& expected, See see) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
        std::string seen = see();
        if (seen == expected || std::chrono::steady_clock::now() > end) return seen;
    }
}

counts every_state_twice() {
    using e = tests::every_state;
    return {{"LISTEN", 2 * e::listen_count},       {"SYN-SENT", 2 * e::syn_sent},
            {"SYN-RECEIVED", 2 * e::syn_received}, {"ESTABLISHED", 2 * e::established},
            {"FIN-WAIT-1", 2 * e::fin_wait1},      {"FIN-WAIT-2", 2 * e::fin_wait2},
            {"CLOSE-WAIT", 2 * e::close_wait},     {"CLOSING", 2 * e::closing},
            {"LAST-ACK", 2 * e::last_ack},         {"TIME-WAIT", 2 * e::time_wait}};
}

/// From here on, as under the seccomp profile of some containers, there is no netlink.
bool forbid_netlink() {
    // Without a look at the architecture, since nothing here switches it.
    ::sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(::seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(::seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const ::sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

} // namespace

TEST_CASE("the states of the running host are counted without any privilege") {
    const auto text = tests::in_unprivileged_child([] {
        std::string methods;
        for (const states_method m : tables) {
            const auto s = host::count_states({.budget = patient, .only = m});
            methods += std::string(to_string(s.method)) + (s.exact ? " exact\n" : " not exact\n");
        }
        return methods + (host::time_wait_quick() ? "quick" : "no number");
    });
    CHECK(text == "tcpdiag exact\ntcpdiag+sockstat exact\nproc exact\nquick");
}

TEST_CASE("where netlink is forbidden, /proc is read, and the reason is told") {
    const auto text = tests::in_child([]() -> std::string {
        if (!forbid_netlink()) return "no seccomp";
        const auto s = host::count_states({.budget = patient});
        return std::string(to_string(s.method)) + (s.exact ? " exact; " : " not exact; ") + s.why_not_better();
    });
    CHECK(text == "proc exact; sock_diag: Operation not permitted");
}

TEST_CASE("network: sockets in every state are counted alike by sock_diag, by /proc and by ss, over IPv4 and IPv6") {
    const std::string expected = text_of(every_state_twice());
    const bool has_ss = !path_of_ss().empty();
    const auto text = tests::in_own_network([&]() -> std::string {
        tests::bring_up_loopback();
        const tests::every_state v4(AF_INET), v6(AF_INET6);
        for (const states_method m : tables) {
            const std::string seen = settled(expected, [&] { return text_of(count_by(m)); });
            if (seen != expected) return to_string(m) + (":\n" + seen);
        }
        const std::string by_ss = has_ss ? text_of(count_by_ss()) : expected;
        return by_ss == expected ? by_ss : "ss:\n" + by_ss;
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    if (!has_ss) MESSAGE(no_ss);
    CHECK(*text == expected);
}

TEST_CASE("network: sockstat's tw is TIME-WAIT and the mini-sockets in FIN-WAIT-2") {
    const std::string expected = "2+2 2+2 2+2 4 4";
    const auto text = tests::in_own_network([&]() -> std::string {
        tests::bring_up_loopback();
        const tests::every_state v4(AF_INET), v6(AF_INET6);
        return settled(expected, [] {
            std::string seen;
            for (const states_method m : tables) {
                const auto s = host::count_states({.budget = patient, .only = m});
                seen += std::to_string(*s.count(tcp_state::time_wait)) + "+" + std::to_string(s.fin_wait2_mini) + " ";
            }
            const auto bound = host::count_states({.only = states_method::sockstat});
            return seen + std::to_string(host::time_wait_quick().value_or(0)) + " " +
                   std::to_string(bound.count(tcp_state::time_wait).value_or(0));
        });
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == expected);
}

TEST_CASE("network: a port counts its listener and that listener's connections, whatever their state") {
    using e = tests::every_state;
    // Of the three listeners, the first has one of each pair but those in SYN-SENT and SYN-RECEIVED.
    const std::string expected = text_of({{"LISTEN", 1},
                                          {"ESTABLISHED", 2},
                                          {"CLOSE-WAIT", e::close_wait},
                                          {"FIN-WAIT-2", 1},
                                          {"LAST-ACK", e::last_ack}});
    const auto text = tests::in_own_network([&]() -> std::string {
        tests::bring_up_loopback();
        const e v4(AF_INET), v6(AF_INET6);
        for (const e* sockets : {&v4, &v6})
            for (const states_method m : port_tables) {
                const std::string seen = settled(expected, [&] { return text_of(count_by(m, sockets->port())); });
                if (seen != expected) return to_string(m) + (":\n" + seen);
            }
        return text_of(count_by(states_method::tcpdiag, 1)) + expected;
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == expected);
}

TEST_CASE("network: a thread that moved to another namespace counts there, while the others count theirs") {
    const auto text = tests::in_own_network([]() -> std::string {
        tests::bring_up_loopback();
        const tests::every_state here(AF_INET);
        std::string moved = "the thread cannot leave";
        const auto listening = [] {
            std::string seen;
            for (const states_method m : tables) seen += std::to_string(count_by(m)["LISTEN"]) + " ";
            return seen + std::to_string(host::time_wait_quick().value_or(99)) + " ";
        };
        std::thread([&] {
            if (::unshare(CLONE_NEWNET) != 0) return;
            moved = listening();
        }).join();
        return settled("3 3 3 2 ", listening) + moved;
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "3 3 3 2 0 0 0 0 ");
}

TEST_CASE("network: with neither netlink nor /proc/net/tcp, sockstat is left, and without /proc nothing") {
    const auto text = tests::in_own_network([]() -> std::string {
        const char* const proc_net = "/proc/thread-self/net"; // its files cannot be mounted over one by one
        if (!tests::take_own_mounts() || !forbid_netlink() || ::mount("covered", proc_net, "tmpfs", 0, nullptr) != 0)
            return "no right to mount";
        std::ofstream(proc_net + std::string("/sockstat")) << "TCP: inuse 1 orphan 0 tw 7 alloc 8 mem 1\n";
        const auto masked = host::count_states({.budget = patient});
        if (::mount("covered", "/proc", "tmpfs", 0, nullptr) != 0) return "no right to mount";
        const auto without = host::count_states({.budget = patient});
        return text_of(counted(masked)) + masked.why_not_better() + "\n" + to_string(without.method) + ": " +
               without.why_not_better();
    });
    if (!text || *text == "no right to mount") {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text ==
          "TIME-WAIT 7\n"
          "TIME-WAIT is an upper bound: it includes orphans in FIN-WAIT-2; sock_diag: Operation not permitted; "
          "/proc/thread-self/net/tcp: No such file or directory\n"
          "none: sock_diag: Operation not permitted; /proc/thread-self/net/tcp: No such file or directory; "
          "/proc/thread-self/net/sockstat: No such file or directory");
}

TEST_CASE("network: fifty thousand sockets in TIME-WAIT are all counted, by every source and as ss does") {
    constexpr std::uint32_t many = 50000;
    const bool has_ss = !path_of_ss().empty();
    const std::string expected = text_of({{"TIME-WAIT", many}});
    const auto text = tests::in_own_network([&]() -> std::string {
        tests::bring_up_loopback();
        tests::make_time_wait_sockets(many);
        for (const states_method m : tables) {
            const std::string seen = settled(expected, [&] { return text_of(count_by(m)); });
            if (seen != expected) return to_string(m) + (":\n" + seen);
        }
        if (host::time_wait_quick() != many) return "not so many in sockstat";
        if (has_ss && text_of(count_by_ss()) != expected) return "ss:\n" + text_of(count_by_ss());
        // So many are left to sockstat to count, unless that takes longer than there is time.
        const auto fast = host::count_states({.budget = patient});
        if (fast.method != states_method::tcpdiag_sockstat || text_of(counted(fast)) != expected)
            return to_string(fast.method) + (":\n" + text_of(counted(fast)));
        // One millisecond is too short for a table, and some is counted in it.
        for (const std::optional<states_method> only : {std::optional<states_method>(), {states_method::proc}}) {
            const auto s = host::count_states({.budget = milliseconds(1), .only = only});
            if (!s.stopped || s.exact || s.counts[6] >= many || s.method == states_method::tcpdiag_sockstat)
                return to_string(s.method) + std::string(" was not stopped");
        }
        return expected;
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    if (!has_ss) MESSAGE(no_ss);
    CHECK(*text == expected);
}
