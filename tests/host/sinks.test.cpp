// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/log_lines.hpp>
#include <closeside/host/sinks.hpp>
#include <closeside/host/startup.hpp>

#include "support/fake_root.hpp"
#include "support/in_child.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

namespace cs = closeside;
namespace host = closeside::host;
using host::severity;
using host::stderr_sink;
using tests::fake_root;
using tests::in_child;

namespace {

/// What JOURNAL_STREAM says about a descriptor that leads to the journal.
std::string identity(int fd) {
    struct ::stat status {};
    ::fstat(fd, &status);
    return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

struct pipe_ends {
    pipe_ends() { REQUIRE(::pipe2(fd.data(), O_CLOEXEC) == 0); }
    pipe_ends(const pipe_ends&) = delete;
    pipe_ends& operator=(const pipe_ends&) = delete;
    ~pipe_ends() {
        for (const int end : fd) ::close(end);
    }
    std::array<int, 2> fd{};
};

std::string what_is_there(int fd) {
    std::string text;
    char buffer[4096];
    for (::pollfd ready{fd, POLLIN, 0}; ::poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN) != 0;) {
        const ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n <= 0) break;
        text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
}

/// What `write` sends to standard error, which JOURNAL_STREAM describes as `variable` does.
template <class Write>
std::string standard_error_of(Write write, std::string (*variable)(int)) {
    return in_child([&]() -> std::string {
        const pipe_ends pipe;
        if (::dup2(pipe.fd[1], STDERR_FILENO) < 0) return "dup2";
        ::unsetenv("JOURNAL_STREAM");
        if (const std::string value = variable(STDERR_FILENO); !value.empty())
            ::setenv("JOURNAL_STREAM", value.c_str(), 1);
        write();
        return what_is_there(pipe.fd[0]);
    });
}

void write_three() {
    const stderr_sink sink;
    sink(severity::critical, "one");
    sink(severity::warning, "two");
    sink(severity::note, "");
}

} // namespace

TEST_CASE("a severity has the syslog priority of its name, and its prefix is that number") {
    CHECK(host::detail::syslog_priority(severity::critical) == LOG_CRIT);
    CHECK(host::detail::syslog_priority(severity::warning) == LOG_WARNING);
    CHECK(host::detail::syslog_priority(severity::note) == LOG_NOTICE);
    for (const severity s : {severity::critical, severity::warning, severity::note})
        CHECK(host::detail::priority_prefix(s) == "<" + std::to_string(host::detail::syslog_priority(s)) + ">");
}

TEST_CASE("lines to standard error carry a priority where that is the journal") {
    CHECK(standard_error_of(write_three, identity) == "<2>one\n<4>two\n<5>\n");
}

TEST_CASE("lines to standard error carry no priority where that is not the journal") {
    std::string (*variable)(int) = nullptr;
    SUBCASE("no JOURNAL_STREAM") {
        variable = [](int) { return std::string(); };
    }
    SUBCASE("standard error was redirected") {
        variable = [](int) { return identity(STDIN_FILENO); };
    }
    SUBCASE("another inode") {
        variable = [](int fd) { return identity(fd) + "0"; };
    }
    SUBCASE("something behind it") {
        variable = [](int fd) { return identity(fd) + " "; };
    }
    SUBCASE("no inode") {
        variable = [](int fd) { return identity(fd).substr(0, identity(fd).find(':') + 1); };
    }
    SUBCASE("no number") {
        variable = [](int) { return std::string("journal"); };
    }
    SUBCASE("far too large") {
        variable = [](int) { return std::string("99999999999999999999999:1"); };
    }
    CHECK(standard_error_of(write_three, variable) == "one\ntwo\n\n");
}

TEST_CASE("standard error that is closed, or full and non-blocking, keeps nobody waiting") {
    const auto text = in_child([]() -> std::string {
        const pipe_ends pipe;
        if (::dup2(pipe.fd[1], STDERR_FILENO) < 0) return "dup2";
        if (::fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK) != 0) return "fcntl";
        const std::string line(100'000, 'x');
        const stderr_sink sink;
        sink(severity::warning, line);
        const std::size_t whole = what_is_there(pipe.fd[0]).size();
        ::close(STDERR_FILENO);
        sink(severity::warning, line);
        return whole > 0 && whole <= line.size() ? "went on" : "sent " + std::to_string(whole);
    });
    CHECK(text == "went on");
}

TEST_CASE("a line that goes out in parts arrives whole") {
    const auto text = in_child([]() -> std::string {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return "socketpair";
        const int small = 4096;
        ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        const pid_t reader = ::fork();
        if (reader == 0) {
            ::close(ends[1]);
            std::size_t total = 0;
            char buffer[1000], last = 0;
            for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0; last = buffer[n - 1])
                total += static_cast<std::size_t>(n);
            ::_exit(total == 300'001 && last == '\n' ? 0 : 1);
        }
        if (::dup2(ends[1], STDERR_FILENO) < 0) return "dup2";
        ::close(ends[1]);
        stderr_sink()(severity::warning, std::string(300'000, 'x'));
        ::close(STDERR_FILENO);
        int status = -1;
        ::waitpid(reader, &status, 0);
        return status == 0 ? "whole" : "in pieces";
    });
    CHECK(text == "whole");
}

TEST_CASE("any stream can get the prefixes") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    std::ostringstream out;
    CHECK(cs::warn_at_startup(host::prefixing_sink(out), {.root = root.path(), .minimum = severity::note}) ==
          severity::critical);
    std::istringstream lines(out.str());
    std::string line, begins;
    while (std::getline(lines, line)) begins += line.substr(0, 8) + "|";
    CHECK(begins.starts_with("<2>CS101|<4>CS201|"));
    CHECK(begins.find("<5>CS105|") != begins.npos);
}

TEST_CASE("syslog gets each line at its priority, with the name that the program gave") {
    // LOG_PERROR shows what is sent without the daemon, which need not run; the priority is told by the mask.
    const auto logged = [](int highest) {
        return standard_error_of(
            [highest] {
                ::openlog("server", LOG_PERROR | LOG_NDELAY, LOG_DAEMON);
                ::setlogmask(LOG_UPTO(highest));
                const host::syslog_sink sink;
                sink(severity::critical, "100 %s");
                sink(severity::warning, "two");
                sink(severity::note, "three");
            },
            [](int) { return std::string(); });
    };
    CHECK(logged(LOG_ALERT) == "");
    CHECK(logged(LOG_CRIT) == "server: 100 %s\n");
    CHECK(logged(LOG_WARNING) == "server: 100 %s\nserver: two\n");
    CHECK(logged(LOG_NOTICE) == "server: 100 %s\nserver: two\nserver: three\n");
}
