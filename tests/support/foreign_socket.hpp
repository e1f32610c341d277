// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_FOREIGN_SOCKET_HPP
#define CLOSESIDE_TESTS_SUPPORT_FOREIGN_SOCKET_HPP

#include "support/connection.hpp"
#include "support/kernel_view.hpp"

#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// Sockets and processes as others make them: no flag, no option but those asked for.
namespace tests {

struct socket_options {
    bool reuse_address = false;
    bool reuse_port = false;
    bool v6_only = false;
};

class foreign_socket {
public:
    explicit foreign_socket(const tcp::endpoint& endpoint, socket_options options = {})
        : foreign_socket(::socket(endpoint.protocol().family(), SOCK_STREAM, 0)) {
        set(SOL_SOCKET, SO_REUSEADDR, options.reuse_address);
        set(SOL_SOCKET, SO_REUSEPORT, options.reuse_port);
        if (endpoint.address().is_v6()) set(IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only);
        if (::bind(fd_, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) fail("bind");
    }
    foreign_socket(foreign_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    foreign_socket& operator=(foreign_socket&&) = delete;
    ~foreign_socket() { close(); }

    foreign_socket&& listening(int backlog = 16) && {
        if (::listen(fd_, backlog) != 0) fail("listen");
        return std::move(*this);
    }

    int fd() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

    tcp::endpoint local() const {
        tcp::endpoint e;
        socklen_t size = static_cast<socklen_t>(e.capacity());
        if (::getsockname(fd_, e.data(), &size) != 0) fail("getsockname");
        e.resize(size);
        return e;
    }

    std::string inode() const {
        struct stat s {};
        if (::fstat(fd_, &s) != 0) fail("fstat");
        return std::to_string(s.st_ino);
    }

    void set(int level, int name, int value) {
        if (::setsockopt(fd_, level, name, &value, sizeof value) != 0) fail("setsockopt");
    }

private:
    explicit foreign_socket(int fd) : fd_(fd) {} // what throws after it leaves no descriptor behind

    [[noreturn]] static void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

    int fd_;
};

/// Leaves a TIME-WAIT behind, of a server that closed first, and no listener. Returns the server's endpoint.
inline tcp::endpoint leave_time_wait(const tcp::endpoint& at, socket_options options) {
    const foreign_socket listener = foreign_socket(at, options).listening();
    const tcp::endpoint server = listener.local();
    test_peer peer(server);
    const int accepted = ::accept(listener.fd(), nullptr, nullptr);
    ::close(accepted);
    peer.read();
    peer.close();
    if (!kernel_view::eventually([&] { return kernel_view::state(server, peer.local()) == kernel_view::time_wait; }))
        throw std::runtime_error("no TIME-WAIT");
    return server;
}

/// A process, killed when this goes.
class background_process {
public:
    /// A forked copy of this one, which keeps every descriptor open.
    static background_process forked() {
        const pid_t pid = ::fork();
        if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
        if (pid == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::alarm(60);
            while (true) ::pause();
        }
        return background_process(pid);
    }

    /// Another program, which inherits every descriptor that is not close-on-exec.
    static background_process sleeping(const std::string& program = "/bin/sleep") {
        std::string name = "sleep", seconds = "60";
        char* arguments[] = {name.data(), seconds.data(), nullptr};
        char* environment[] = {nullptr};
        pid_t pid = 0;
        const int error = ::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environment);
        if (error != 0) throw std::system_error(error, std::generic_category(), program);
        return background_process(pid);
    }

    background_process(background_process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    background_process& operator=(background_process&&) = delete;
    ~background_process() {
        if (pid_ < 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    pid_t pid() const { return pid_; }
    /// As messages name it.
    std::string pid_text() const { return "(pid " + std::to_string(pid_) + ")"; }

private:
    explicit background_process(pid_t pid) : pid_(pid) {}
    pid_t pid_;
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace tests

#endif
