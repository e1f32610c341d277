// SPDX-License-Identifier: BSL-1.0
#include "server_process.hpp"

#include "connection.hpp"

#include "benchmark/support/process.hpp"

#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace benchmark_serve {

namespace {

using clock = std::chrono::steady_clock;

[[noreturn]] void serve_until_killed(const contender& c, std::uint16_t port, pid_t parent) {
    try {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1); // it died before the line above
        ::prctl(PR_SET_NAME, c.name.c_str());  // so that top and perf tell the servers apart
        benchmark_support::pin_to_processor(0);
        c.serve(port);
    } catch (const std::exception& e) {
        std::cerr << c.name << ": " << e.what() << "\n";
    }
    ::_exit(1);
}

} // namespace

server_process::server_process(const contender& c, std::uint16_t port) {
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) serve_until_killed(c, port, parent);
    try {
        wait_until_listening(port);
    } catch (...) {
        kill();
        throw;
    }
}

server_process::~server_process() { kill(); }

void server_process::wait_until_listening(std::uint16_t port) {
    for (const auto deadline = clock::now() + std::chrono::seconds(5); !is_listening(port); ::poll(nullptr, 0, 1)) {
        ::siginfo_t ended{};
        if (::waitid(P_PID, static_cast<::id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0)
            throw std::runtime_error("has ended instead of listening");
        if (clock::now() >= deadline) throw std::runtime_error("did not listen within 5 s");
    }
}

void server_process::hold() {
    int status = 0;
    if (::kill(pid_, SIGSTOP) != 0 || ::waitpid(pid_, &status, WUNTRACED) != pid_) fail("to stop a server");
    if (WIFSTOPPED(status)) return;
    pid_ = 0;
    throw std::runtime_error("has ended under load");
}

void server_process::release() { ::kill(pid_, SIGCONT); }

server_process::times server_process::used() const {
    const std::string path = "/proc/" + std::to_string(pid_) + "/schedstat";
    std::chrono::nanoseconds::rep running = 0, ready = 0;
    if (!(std::ifstream(path) >> running >> ready))
        throw std::runtime_error("cannot read " + path + ", which needs a kernel with CONFIG_SCHED_INFO");
    return {std::chrono::nanoseconds(running), std::chrono::nanoseconds(ready)};
}

void server_process::kill() noexcept {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

} // namespace benchmark_serve
