// SPDX-License-Identifier: BSL-1.0
#include "process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

namespace benchmark_support {

namespace {

using clock = std::chrono::steady_clock;

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

class pipe_ends {
public:
    pipe_ends() {
        if (::pipe2(fd_.data(), O_CLOEXEC) != 0) fail(errno, "pipe2");
    }
    pipe_ends(const pipe_ends&) = delete;
    pipe_ends& operator=(const pipe_ends&) = delete;
    ~pipe_ends() {
        close_writing();
        ::close(fd_[0]);
    }
    int reading() const { return fd_[0]; }
    int writing() const { return fd_[1]; }
    void close_writing() {
        if (fd_[1] >= 0) ::close(fd_[1]);
        fd_[1] = -1;
    }

private:
    std::array<int, 2> fd_{};
};

/// In a process group of its own.
pid_t spawn(std::vector<std::string> arguments, int out, int err) {
    std::vector<char*> words;
    for (std::string& a : arguments) words.push_back(a.data());
    words.push_back(nullptr);
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    ::posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    pid_t child = 0;
    const int failed = ::posix_spawnp(&child, words.at(0), &actions, &attributes, words.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) fail(failed, arguments.at(0));
    return child;
}

/// False if both ends did not come before the deadline.
bool read_all(std::array<::pollfd, 2> ends, std::array<std::string*, 2> texts, clock::time_point deadline) {
    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
        if (left.count() <= 0) return false;
        if (::poll(ends.data(), ends.size(), static_cast<int>(left.count())) <= 0) continue;
        for (std::size_t i = 0; i != ends.size(); ++i) {
            if (ends[i].fd < 0 || ends[i].revents == 0) continue;
            std::array<char, 4096> buffer{};
            const ssize_t n = ::read(ends[i].fd, buffer.data(), buffer.size());
            if (n > 0)
                texts[i]->append(buffer.data(), static_cast<std::size_t>(n));
            else
                ends[i].fd = -1;
        }
    }
    return true;
}

std::chrono::nanoseconds duration_of(const ::timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
}

} // namespace

process_result run_process(const std::vector<std::string>& arguments, std::chrono::seconds limit) {
    pipe_ends out, err;
    process_result result{};
    const auto start = clock::now();
    const pid_t child = spawn(arguments, out.writing(), err.writing());
    out.close_writing();
    err.close_writing();
    const bool done =
        read_all({{{out.reading(), POLLIN, 0}, {err.reading(), POLLIN, 0}}}, {&result.out, &result.err}, start + limit);
    if (!done) ::kill(-child, SIGKILL);
    int status = 0;
    ::rusage used{};
    ::wait4(child, &status, 0, &used);
    result.time = clock::now() - start;
    result.processor_time = duration_of(used.ru_utime) + duration_of(used.ru_stime);
    if (!done) throw std::runtime_error(arguments[0] + " did not end within " + std::to_string(limit.count()) + " s");
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

process_result run_checked(const std::vector<std::string>& arguments, std::chrono::seconds limit) {
    process_result result = run_process(arguments, limit);
    if (result.status == 0) return result;
    std::string line;
    for (const std::string& a : arguments) line += (line.empty() ? "" : " ") + a;
    throw std::runtime_error("'" + line + "' ended with status " + std::to_string(result.status) + ":\n" + result.out +
                             result.err);
}

bool is_installed(const std::string& program) {
    const char* const path = std::getenv("PATH");
    std::istringstream directories(path != nullptr ? path : "/usr/bin:/bin");
    for (std::string directory; std::getline(directories, directory, ':');)
        if (::access((directory + "/" + program).c_str(), X_OK) == 0) return true;
    std::cerr << "SKIPPED: " << program << " is not installed\n";
    return false;
}

void pin_to_processor(unsigned index) {
    ::cpu_set_t allowed, wanted;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) fail(errno, "sched_getaffinity");
    CPU_ZERO(&wanted);
    int last = 0;
    for (int cpu = 0; cpu != CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &allowed)) {
            last = cpu;
            if (index-- == 0) break;
        }
    CPU_SET(last, &wanted);
    if (::sched_setaffinity(0, sizeof wanted, &wanted) != 0) fail(errno, "sched_setaffinity");
}

std::chrono::nanoseconds own_processor_time() {
    ::timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

} // namespace benchmark_support
