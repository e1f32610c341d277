// SPDX-License-Identifier: BSL-1.0
#include "process.hpp"

#include "wait.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace observation {

namespace {

[[noreturn]] void run_child(const std::function<int()>& body, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(70); // it died before prctl
    int status = 70;
    try {
        status = body();
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s: child process: %s\n", program_invocation_short_name, e.what());
    }
    ::_exit(status);
}

} // namespace

process::process(const std::function<int()>& body) {
    const pid_t parent = ::getpid();
    std::fflush(nullptr);
    id_ = ::fork();
    if (id_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (id_ == 0) run_child(body, parent);
    descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, id_, 0));
    if (descriptor_ >= 0 || errno == ENOSYS) return; // before Linux 5.3
    const int error = errno;
    signal(SIGKILL);
    ::waitpid(id_, nullptr, 0);
    throw std::system_error(error, std::generic_category(), "pidfd_open");
}

process::process(process&& other) noexcept
    : id_(std::exchange(other.id_, -1)), descriptor_(std::exchange(other.descriptor_, -1)), status_(other.status_) {}

process::~process() {
    if (id_ < 0) return;
    if (!status_) {
        signal(SIGKILL);
        ::waitpid(id_, nullptr, 0);
    }
    if (descriptor_ >= 0) ::close(descriptor_);
}

void process::signal(int number) const noexcept {
    if (!status_) ::kill(id_, number);
}

std::optional<int> process::wait(std::chrono::milliseconds limit) {
    if (status_) return status_;
    const auto deadline = steady::now() + limit;
    pollfd entry{.fd = descriptor_, .events = POLLIN, .revents = 0};
    while (descriptor_ >= 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady::now()).count();
        if (::poll(&entry, 1, left > 0 ? static_cast<int>(left) : 0) >= 0 || errno != EINTR) break;
    }
    int status = 0;
    const auto has_ended = [&] { return ::waitpid(id_, &status, WNOHANG) == id_; };
    if (!(descriptor_ >= 0 ? has_ended() : eventually(has_ended, limit, std::chrono::milliseconds(1))))
        return std::nullopt;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return status_;
}

} // namespace observation
