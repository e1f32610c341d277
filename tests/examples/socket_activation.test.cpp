// SPDX-License-Identifier: BSL-1.0
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

/// A port that nobody else is given meanwhile; who listens on it has SO_REUSEADDR as well.
class reserved_port {
public:
    reserved_port() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        REQUIRE(::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
        ::sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        REQUIRE(::bind(fd_, reinterpret_cast<::sockaddr*>(&at), size) == 0);
        REQUIRE(::getsockname(fd_, reinterpret_cast<::sockaddr*>(&at), &size) == 0);
        number = ntohs(at.sin_port);
    }
    reserved_port(const reserved_port&) = delete;
    reserved_port& operator=(const reserved_port&) = delete;
    ~reserved_port() { ::close(fd_); }

    unsigned short number = 0;

private:
    int fd_;
};

} // namespace

TEST_CASE(
    "socket_activation takes systemd's listener over, with the connection that has woken it, and stops on SIGTERM") {
    if (std::string(CLOSESIDE_SOCKET_ACTIVATE).empty()) {
        MESSAGE("SKIPPED: systemd-socket-activate is not installed (package systemd)");
        return;
    }
    const reserved_port port;
    const std::string at = "127.0.0.1:" + std::to_string(port.number);
    tests::running_program server({CLOSESIDE_SOCKET_ACTIVATE, "-l", at, CLOSESIDE_SOCKET_ACTIVATION});
    server.line_with("Listening on");
    test_peer first({asio::ip::address_v4::loopback(), port.number});
    CHECK(server.line_with("echoing on").find(at) != std::string::npos);
    first.send(1000);
    CHECK(first.read(1000).bytes == 1000);
    first.half_close();
    CHECK(first.read().error == 0);
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=peer"));

    test_peer idle({asio::ip::address_v4::loopback(), port.number});
    idle.send(1);
    CHECK(idle.read(1).bytes == 1);
    REQUIRE(::kill(server.pid(), SIGTERM) == 0);
    CHECK(idle.read().error == 0);
    idle.close();
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=local"));
    CHECK(server.stop(0) == 0);
}

TEST_CASE("socket_activation says how it is to be started") {
    const auto alone = tests::run_program({CLOSESIDE_SOCKET_ACTIVATION});
    CHECK(alone.status == 1);
    CHECK(alone.err.find("systemd-socket-activate") != std::string::npos);
}
