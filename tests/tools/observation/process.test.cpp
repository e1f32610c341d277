// SPDX-License-Identifier: BSL-1.0
#include "observation/process.hpp"

#include "support/in_child.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <string>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

/// From here on the calling process has a kernel before Linux 5.3, as far as it can tell.
bool forbid_pidfd_open() {
    ::sock_filter program[]{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(::seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const ::sock_fprog filter{std::size(program), program};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0 &&
           ::syscall(SYS_pidfd_open, ::getpid(), 0) == -1 && errno == ENOSYS;
}

/// What three children come to: one that returns, one that is killed, and one that takes too long.
std::string how_children_end() {
    observation::process returns([] { return 3; });
    const auto status = returns.wait(10s);
    observation::process waits([] { return ::pause(); });
    const auto too_early = waits.wait(20ms);
    waits.signal(SIGKILL);
    const auto killed = waits.wait(10s);
    pid_t left = 0;
    {
        observation::process dropped([] { return ::pause(); });
        left = dropped.id();
    }
    return std::to_string(status.value_or(-1000)) + (too_early ? " early " : " waits ") +
           std::to_string(killed.value_or(-1000)) + (::kill(left, 0) == 0 ? " alive" : " gone");
}

} // namespace

TEST_CASE("a child is waited for, told how it ended, and ended with what holds it") {
    CHECK(how_children_end() == "3 waits -9 gone");
}

TEST_CASE("so it is on a kernel without pidfd_open") {
    const std::string ends = tests::in_child([]() -> std::string {
        if (!forbid_pidfd_open()) return "no seccomp";
        return how_children_end();
    });
    if (ends == "no seccomp") {
        MESSAGE("SKIPPED: seccomp cannot be used here");
        return;
    }
    CHECK(ends == "3 waits -9 gone");
}
