// SPDX-License-Identifier: BSL-1.0
#include "process.hpp"

#include "descriptor.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lab {

namespace {

[[noreturn]] void run_child(const std::function<int()>& body, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(70); // it died before prctl
    int status = 70;
    try {
        status = body();
    } catch (const std::exception& e) {
        std::fprintf(stderr, "closeside-lab: child process: %s\n", e.what());
    }
    ::_exit(status);
}

std::string path_of(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    const char* const path = std::getenv("PATH");
    std::istringstream directories((path ? std::string(path) : std::string()) + ":/usr/sbin:/sbin");
    for (std::string directory; std::getline(directories, directory, ':');) {
        const std::string candidate = directory + '/' + name;
        if (!directory.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    const char* const package = name == "nft" ? "nftables" : name == "ip" ? "iproute2" : nullptr;
    throw std::runtime_error("there is no program " + name +
                             (package ? std::string("; Debian's package is ") + package : std::string()));
}

/// A file in memory: a program writes as much as it likes without anybody reading meanwhile.
descriptor memory_file(const std::string& content = {}) {
    descriptor file(::memfd_create("closeside-lab", MFD_CLOEXEC));
    if (!file || ::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
        throw std::system_error(errno, std::generic_category(), "memfd_create");
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

std::string content_of(const descriptor& file) {
    std::string text;
    char buffer[4096];
    ssize_t n = 0;
    for (off_t at = 0; (n = ::pread(file.get(), buffer, sizeof buffer, at)) > 0; at += n)
        text.append(buffer, static_cast<std::size_t>(n));
    return text;
}

} // namespace

process::process(const std::function<int()>& body) {
    const pid_t parent = ::getpid();
    std::fflush(nullptr);
    id_ = ::fork();
    if (id_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (id_ == 0) run_child(body, parent);
    descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, id_, 0));
    if (descriptor_ >= 0) return;
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
    ::close(descriptor_);
}

void process::signal(int number) const noexcept {
    if (!status_) ::kill(id_, number);
}

std::optional<int> process::wait(std::chrono::milliseconds limit) {
    if (status_) return status_;
    using steady = std::chrono::steady_clock;
    const auto deadline = steady::now() + limit;
    pollfd entry{.fd = descriptor_, .events = POLLIN, .revents = 0};
    int ready = -1;
    do {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady::now()).count();
        ready = ::poll(&entry, 1, left > 0 ? static_cast<int>(left) : 0);
    } while (ready < 0 && errno == EINTR);
    int status = 0;
    if (ready <= 0 || ::waitpid(id_, &status, 0) != id_) return std::nullopt;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return status_;
}

program_result run_program(const std::vector<std::string>& arguments, const std::string& input,
                           std::chrono::milliseconds limit) {
    const std::string path = path_of(arguments.at(0));
    std::vector<char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    const descriptor in = memory_file(input), out = memory_file(), err = memory_file();
    process program([&] {
        for (const auto& [file, number] : {std::pair{&in, 0}, std::pair{&out, 1}, std::pair{&err, 2}})
            ::dup2(file->get(), number);
        ::execv(path.c_str(), pointers.data());
        return 127;
    });
    const std::optional<int> status = program.wait(limit);
    if (!status)
        throw std::runtime_error(arguments[0] + " did not end within " + std::to_string(limit.count()) + " ms");
    return {*status, content_of(out), content_of(err)};
}

std::string run_tool(const std::vector<std::string>& arguments, const std::string& input) {
    program_result result = run_program(arguments, input);
    if (result.status == 0) return std::move(result.out);
    std::string command;
    for (const std::string& argument : arguments) command += (command.empty() ? "" : " ") + argument;
    throw std::runtime_error(command + " failed with status " + std::to_string(result.status) + ": " + result.err +
                             (input.empty() ? "" : "its input was:\n" + input));
}

} // namespace lab
