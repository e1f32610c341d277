// SPDX-License-Identifier: BSL-1.0
#include "support/connection.hpp"
#include "support/run_program.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <string>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

/// The example, running: its log is read as it comes.
class running_server {
public:
    running_server() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        pid_ = ::fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) {
            ::dup2(ends[1], STDERR_FILENO);
            ::execl(CLOSESIDE_ECHO_SERVER, CLOSESIDE_ECHO_SERVER, "--address", "127.0.0.1", "--port", "0", nullptr);
            ::_exit(127);
        }
        ::close(ends[1]);
        log_ = ends[0];
    }
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;
    ~running_server() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(log_);
    }

    /// The first line of the log that contains `what`; empty after five seconds.
    std::string line_with(const std::string& what) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (true) {
            for (std::size_t eol; (eol = text_.find('\n')) != std::string::npos;) {
                const std::string line = text_.substr(0, eol);
                text_.erase(0, eol + 1);
                if (line.find(what) != std::string::npos) return line;
            }
            char buffer[1024];
            ::pollfd poll{log_, POLLIN, 0};
            if (std::chrono::steady_clock::now() > end || ::poll(&poll, 1, 100) < 0) return {};
            if (poll.revents == 0) continue;
            const ssize_t n = ::read(log_, buffer, sizeof buffer);
            if (n <= 0) return {};
            text_.append(buffer, static_cast<std::size_t>(n));
        }
    }

    /// The exit status after SIGINT.
    int stop() {
        int status = 0;
        ::kill(pid_, SIGINT);
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t pid_ = 0;
    int log_ = -1;
    std::string text_;
};

unsigned short port_in(const std::string& line) {
    const std::string before = "127.0.0.1:";
    return static_cast<unsigned short>(std::stoi(line.substr(line.find(before) + before.size())));
}

} // namespace

TEST_CASE("echo_server echoes, lets its client close first, logs the report and stops on SIGINT") {
    running_server server;
    const std::string first = server.line_with("echoing on");
    REQUIRE_FALSE(first.empty());
    const tcp::endpoint at(asio::ip::address_v4::loopback(), port_in(first));
    {
        test_peer client(at);
        client.send(100'000);
        CHECK(client.read(100'000).bytes == 100'000);
        client.half_close();
        CHECK(client.read().error == 0);
    }
    CHECK(server.line_with("closed:").find("closed: Success: first_fin=peer ended_by=fin time_wait=peer limit=none") ==
          0);

    test_peer resets(at);
    resets.reset();
    CHECK(server.line_with("closed:").find("closed: the peer reset the connection: ") == 0);

    const auto second =
        tests::run_program({CLOSESIDE_ECHO_SERVER, "--address", "127.0.0.1", "--port", std::to_string(at.port())});
    CHECK(second.status == 1);
    CHECK(second.err.find("a live listener") != std::string::npos);

    CHECK(server.stop() == 0);
}

TEST_CASE("echo_server names a wrong argument and what it would take") {
    const auto address = tests::run_program({CLOSESIDE_ECHO_SERVER, "--address", "here"});
    CHECK(address.status != 0);
    CHECK(address.err.find("'here' is not an IP address") != std::string::npos);
    const auto port = tests::run_program({CLOSESIDE_ECHO_SERVER, "--port", "70000"});
    CHECK(port.status != 0);
    CHECK(port.err.find("70000 not in range") != std::string::npos);
}
