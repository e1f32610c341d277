// SPDX-License-Identifier: BSL-1.0
#include "examples/keep_alive_load.hpp"
#include "examples/server_under_test.hpp"
#include "support/foreign_socket.hpp"
#include "support/kernel_view.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using tests::running_program;

namespace {

/// Three in an ordinary run; CLOSESIDE_RESTARTS says otherwise.
std::size_t restarts() {
    const char* const wanted = std::getenv("CLOSESIDE_RESTARTS");
    return wanted == nullptr ? 3 : std::stoul(wanted);
}

/// `hot_restart 1234: …`
std::string process_in(const std::string& line) {
    REQUIRE(line.starts_with("hot_restart "));
    return line.substr(12, line.find(':') - 12);
}

/// Children of children, which become ours when their parent has gone.
class adopted_children {
public:
    adopted_children() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
    adopted_children(const adopted_children&) = delete;
    ~adopted_children() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }

    /// Its exit status; -1 if it runs on.
    int status_of(pid_t child) {
        int status = -1;
        kernel_view::eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; });
        return status;
    }
};

/// The generations of a server, one of which serves.
class generations {
public:
    virtual ~generations() = default;
    virtual void restart() = 0;
    virtual void stop() = 0;

    const tcp::endpoint& endpoint() const { return endpoint_; }
    /// As its replies name it.
    std::string current() const { return current_ + '\n'; }
    /// By process, as each has said when it had stopped.
    const std::map<std::string, std::size_t>& served() const { return served_; }

protected:
    void serving(running_program& server) {
        const std::string line = server.line_with("serving on");
        current_ = process_in(line);
        endpoint_ = {asio::ip::address_v4::loopback(),
                     static_cast<unsigned short>(std::stoi(line.substr(line.rfind(':') + 1)))};
    }

    void stopped(running_program& server) {
        const std::string line = server.line_with(": stopped: ");
        const std::string before = "served=";
        REQUIRE(line.find(before) != std::string::npos);
        served_[process_in(line) + '\n'] = std::stoul(line.substr(line.find(before) + before.size()));
        CHECK(line.find("cut=0 left_over=0") != std::string::npos);
    }

    pid_t current_process() const { return std::stoi(current_); }

private:
    tcp::endpoint endpoint_;
    std::string current_;
    std::map<std::string, std::size_t> served_;
};

/// The first starts the second, which starts the third: all write into one log.
class by_exec : public generations {
public:
    explicit by_exec(const std::string& notice)
        : log_({CLOSESIDE_HOT_RESTART, "exec", "127.0.0.1", "0", "--notice=" + notice}) {
        serving(log_);
    }
    void restart() override {
        const pid_t old = current_process();
        REQUIRE(::kill(old, SIGHUP) == 0);
        serving(log_);
        stopped(log_);
        if (old != log_.pid()) CHECK(children_.status_of(old) == 0);
    }
    void stop() override {
        REQUIRE(::kill(current_process(), SIGTERM) == 0);
        stopped(log_);
        if (current_process() != log_.pid()) CHECK(children_.status_of(current_process()) == 0);
    }

private:
    adopted_children children_;
    running_program log_;
};

/// The new one is started by hand, and asks the old one.
class by_socket : public generations {
public:
    by_socket() : server_(start()) { serving(*server_); }
    void restart() override {
        auto successor = start();
        serving(*successor);
        stopped(*server_);
        CHECK(server_->stop(0) == 0);
        server_ = std::move(successor);
    }
    void stop() override {
        REQUIRE(::kill(current_process(), SIGTERM) == 0);
        stopped(*server_);
        CHECK(server_->stop(0) == 0);
    }

private:
    std::unique_ptr<running_program> start() {
        const std::vector<std::string> command{CLOSESIDE_HOT_RESTART, "socket", "127.0.0.1", "0", directory_.path("s")};
        return std::make_unique<running_program>(command);
    }

    tests::temporary_directory directory_;
    std::unique_ptr<running_program> server_;
};

/// This process does what systemd does: it holds the listener, hears READY=1, and starts the next when one has ended.
class by_service_manager : public generations {
public:
    by_service_manager()
        : listener_(tests::foreign_socket({asio::ip::address_v4::loopback(), 0}).listening(4096)),
          notify_path_(directory_.path("notify")) {
        ::sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::strcpy(name.sun_path, notify_path_.c_str());
        REQUIRE(::bind(notified_.get(), reinterpret_cast<const ::sockaddr*>(&name), sizeof name) == 0);
        ::fcntl(listener_.fd(), F_SETFD, FD_CLOEXEC);
        start();
    }
    void restart() override {
        stop();
        start();
    }
    void stop() override {
        REQUIRE(::kill(current_process(), SIGTERM) == 0);
        CHECK(message() == "STOPPING=1");
        stopped(*server_);
        CHECK(server_->stop(0) == 0);
    }

private:
    void start() {
        server_ = std::make_unique<running_program>(std::vector<std::string>{CLOSESIDE_HOT_RESTART, "systemd"}, [&] {
            ::dup2(listener_.fd(), 3);
            ::fcntl(3, F_SETFD, 0); // if it was that already
            ::setenv("LISTEN_FDS", "1", 1);
            ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
            ::setenv("NOTIFY_SOCKET", notify_path_.c_str(), 1);
        });
        serving(*server_);
        CHECK(message() == "READY=1\nMAINPID=" + std::to_string(current_process()));
    }

    std::string message() {
        ::pollfd readable{notified_.get(), POLLIN, 0};
        char text[256];
        if (::poll(&readable, 1, 5000) != 1) return "none";
        const ssize_t n = ::recv(notified_.get(), text, sizeof text, MSG_DONTWAIT);
        return n < 0 ? "none" : std::string(text, static_cast<std::size_t>(n));
    }

    tests::foreign_socket listener_;
    tests::temporary_directory directory_;
    std::string notify_path_;
    observation::descriptor notified_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    std::unique_ptr<running_program> server_;
};

tests::load_totals restart_under_load(generations& server) {
    tests::keep_alive_load load(server.endpoint(), 16);
    REQUIRE(load.answered_by(server.current(), 20));
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i != restarts(); ++i) {
        server.restart();
        CAPTURE(i);
        REQUIRE(load.answered_by(server.current(), 20));
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    tests::load_totals totals = load.stop();
    server.stop();

    std::erase_if(totals.replies, [](const auto& entry) { return entry.second == 0; });
    CHECK(totals.replies.size() == restarts() + 1);
    CHECK(totals.replies == server.served());
    CHECK(totals.requests == totals.all_replies() + totals.lost);
    CHECK(totals.not_sent == 0);
    MESSAGE(restarts(), " restarts in ", took.count(), " ms: ", totals.requests, " requests on ", totals.connections,
            " connections, ", totals.lost, " lost, ", totals.reset, " of them reset; ", totals.not_sent,
            " connects refused or reset; the slowest took ", totals.slowest.count(), " ms");
    return totals;
}

void check_nothing_lost(generations&& server) {
    const tests::load_totals totals = restart_under_load(server);
    CHECK(totals.lost == 0);
    CHECK(totals.reset == 0);
}

} // namespace

TEST_CASE("hot_restart by exec loses no request and refuses no connection") { check_nothing_lost(by_exec("300")); }

TEST_CASE("hot_restart by a listener that is passed over a Unix socket loses and refuses nothing") {
    check_nothing_lost(by_socket());
}

TEST_CASE("hot_restart under a service manager that holds the listener loses and refuses nothing") {
    check_nothing_lost(by_service_manager());
}

TEST_CASE("hot_restart takes systemd's listener over, with the connection that has woken it, and passes it on") {
    if (std::string(CLOSESIDE_SOCKET_ACTIVATE).empty()) {
        MESSAGE("SKIPPED: systemd-socket-activate is not installed (package systemd)");
        return;
    }
    // Nobody else is given its port meanwhile; systemd's listener has SO_REUSEADDR, too.
    const tests::foreign_socket reserved({asio::ip::address_v4::loopback(), 0}, {.reuse_address = true});
    const std::string at = "127.0.0.1:" + std::to_string(reserved.local().port());
    adopted_children children;
    running_program server({CLOSESIDE_SOCKET_ACTIVATE, "-l", at, CLOSESIDE_HOT_RESTART, "systemd"});
    server.line_with("Listening on");
    tests::keep_alive_load load(reserved.local(), 4);
    const std::string first = process_in(server.line_with("serving on " + at));
    CHECK(load.answered_by(first + '\n', 10));
    REQUIRE(::kill(std::stoi(first), SIGHUP) == 0);
    const std::string second = process_in(server.line_with("serving on " + at));
    CHECK(first != second);
    CHECK(load.answered_by(second + '\n', 10));
    const tests::load_totals totals = load.stop();
    CHECK(totals.lost + totals.not_sent == 0);
    CHECK(::kill(std::stoi(second), SIGTERM) == 0);
    CHECK(process_in(server.line_with(second + ": stopped")) == second);
    CHECK(children.status_of(std::stoi(second)) == 0);
}

TEST_CASE("without notice hot_restart refuses nobody, and what is lost is counted") {
    by_exec server("0");
    restart_under_load(server);
}

TEST_CASE("hot_restart serves on where its successor cannot start, and hands over to the next that can") {
    const tests::temporary_directory directory;
    const std::string program = directory.path("hot_restart");
    std::filesystem::copy_file(CLOSESIDE_HOT_RESTART, program);
    adopted_children children;
    running_program server({program, "exec", "127.0.0.1", "0"});
    const std::string line = server.line_with("serving on");
    const std::string at = line.substr(line.rfind(':') + 1);
    tests::keep_alive_load load({asio::ip::address_v4::loopback(), static_cast<unsigned short>(std::stoi(at))}, 4);
    std::filesystem::rename(program, program + ".gone");
    REQUIRE(::kill(server.pid(), SIGHUP) == 0);
    CHECK(!server.line_with("no successor: serving on").empty());
    std::filesystem::rename(program + ".gone", program);
    REQUIRE(::kill(server.pid(), SIGHUP) == 0);
    const std::string second = process_in(server.line_with("serving on 127.0.0.1:" + at));
    CHECK(load.answered_by(second + '\n', 10));
    const tests::load_totals totals = load.stop();
    CHECK(totals.lost + totals.not_sent == 0);
    REQUIRE(::kill(std::stoi(second), SIGTERM) == 0);
    CHECK(children.status_of(std::stoi(second)) == 0);
}

TEST_CASE("hot_restart says how it is to be started") {
    const auto alone = tests::run_program({CLOSESIDE_HOT_RESTART});
    CHECK(alone.status == 1);
    CHECK(alone.err.find("usage: hot_restart exec ADDRESS PORT") != std::string::npos);
    const auto unmanaged = tests::run_program({CLOSESIDE_HOT_RESTART, "systemd"});
    CHECK(unmanaged.status == 1);
    CHECK(unmanaged.err.find("systemd passed on no listener") != std::string::npos);
}
