// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/connect/connect_diagnosis.hpp>

#include "support/foreign_socket.hpp"
#include "support/in_child.hpp"
#include "support/own_network.hpp"

#include <closeside/connect.hpp>

#include <asio/detached.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace cs = closeside;
using namespace tests;

namespace {

constexpr cs::close_policy reusing{};
constexpr cs::close_policy not_reusing{.reuse_address = false};
const asio::ip::address loopback = asio::ip::address_v4::loopback();
constexpr unsigned short fixed = 45678;

struct refusal {
    cs::error_code code;
    std::string text;
};

/// What connect() says; the code of the other two forms is the same.
template <cs::close_policy P = reusing>
refusal refused(asio::io_context& io, const tcp::endpoint& to, const tcp::endpoint& from) {
    cs::error_code told, told_later;
    const auto none = cs::connect<P>(io, to, {.local = from}, told);
    cs::async_connect<P>(io, to, {.local = from}, [&](cs::error_code ec, const auto&) { told_later = ec; });
    io.restart();
    io.run();
    try {
        cs::connect<P>(io, to, {.local = from});
    } catch (const cs::system_error& e) {
        const bool same = e.code() == told && told == told_later;
        return {e.code(), e.what() + std::string(same ? "" : " [the codes differ]")};
    }
    return {{}, "connected"};
}

/// The text, if the code is what the kernel gave.
std::string text_if(int error, const refusal& r) {
    return r.code == cs::error_code(error, asio::error::get_system_category()) ? r.text : "another error: " + r.text;
}

void is_said(const std::string& message, const std::vector<std::string>& parts,
             const std::vector<std::string>& never = {}) {
    INFO(message);
    for (const std::string& part : parts) CHECK_MESSAGE(contains(message, part), "not said: " << part);
    for (const std::string& part : never) CHECK_MESSAGE(!contains(message, part), "wrongly said: " << part);
    for (const char* part : {"another error", "no local port", " ports, ", "the codes differ", "acceptor"})
        CHECK_MESSAGE(!contains(message, part), "wrongly said: " << std::string(part));
}

bool skipped(bool refused_namespace) {
    if (refused_namespace) MESSAGE("skipped: no right to a network namespace");
    return refused_namespace;
}

const std::string cure = "connect from another port, or from port 0, which leaves it to the kernel";

/// With a server and a loopback of its own, where nothing gets past TIME-WAIT.
template <class Body>
std::optional<std::string> with_server(Body body, const asio::ip::address& at = loopback) {
    return in_own_network([&]() -> std::string {
        bring_up_loopback();
        set_sysctl("tcp_timestamps", "0");
        asio::io_context io;
        tcp::acceptor server(io, {at, 50001});
        return body(io, server);
    });
}

template <cs::close_policy P = reusing>
void connect_and_close_first(asio::io_context& io, tcp::acceptor& server, const tcp::endpoint& from) {
    auto stream = cs::connect<P>(io, server.local_endpoint(), {.local = from});
    tcp::socket accepted = server.accept();
    stream.async_close(asio::detached);
    accepted.close();
    io.restart();
    io.run();
}

} // namespace

TEST_CASE("network: a fixed local port whose connection is in TIME-WAIT is told of that, for how long and the cure") {
    for (const char* const at : {"127.0.0.1", "::1"}) {
        const auto address = asio::ip::make_address(at);
        const auto said = with_server(
            [&](asio::io_context& io, tcp::acceptor& server) {
                const tcp::endpoint from(address, fixed);
                connect_and_close_first(io, server, from);
                return text_if(EADDRNOTAVAIL, refused(io, server.local_endpoint(), from));
            },
            address);
        if (skipped(!said)) return;
        const std::string host = address.is_v6() ? "[::1]" : at;
        is_said(*said,
                {"connect " + host + ":50001 from " + host + ":45678: ",
                 "the last connection from " + host + ":45678 to " + host + ":50001 is in TIME-WAIT, for ", cure,
                 "under which the peer closes first", "tcp_timestamps", "Cannot assign requested address"},
                {"live", "process"});
        const std::size_t seconds = said->find("TIME-WAIT, for ");
        REQUIRE(seconds != std::string::npos);
        CHECK(std::stoi(said->substr(seconds + 15)) > 50);
        CHECK(std::stoi(said->substr(seconds + 15)) <= 61);
    }
}

TEST_CASE("network: with timestamps, a fixed local port gets past the TIME-WAIT of its last connection") {
    const auto said = with_server([&](asio::io_context& io, tcp::acceptor& server) -> std::string {
        set_sysctl("tcp_timestamps", "1");
        set_sysctl("tcp_tw_reuse", "0");
        for (int i = 0; i < 3; ++i) connect_and_close_first(io, server, {loopback, fixed});
        return "as expected";
    });
    if (skipped(!said)) return;
    CHECK(*said == "as expected");
}

TEST_CASE("network: a fixed port on any address is told of the connection that its route leads to") {
    const auto said = with_server([&](asio::io_context& io, tcp::acceptor& server) {
        const tcp::endpoint from(asio::ip::address_v4::any(), fixed);
        connect_and_close_first(io, server, from);
        return text_if(EADDRNOTAVAIL, refused(io, server.local_endpoint(), from));
    });
    if (skipped(!said)) return;
    is_said(*said,
            {"from 0.0.0.0:45678: ", "the last connection from 127.0.0.1:45678 to 127.0.0.1:50001 is in TIME-WAIT"});
}

TEST_CASE("network: a fixed port with a live connection to the destination is told of it and of its process") {
    const auto said = with_server([&](asio::io_context& io, tcp::acceptor& server) {
        const tcp::endpoint from(loopback, fixed);
        const auto first = cs::connect<reusing>(io, server.local_endpoint(), {.local = from});
        return text_if(EADDRNOTAVAIL, refused(io, server.local_endpoint(), from));
    });
    if (skipped(!said)) return;
    is_said(
        *said,
        {"there is a connection from 127.0.0.1:45678 to 127.0.0.1:50001 already (socket inode ", "this process)", cure},
        {"TIME-WAIT"});
}

TEST_CASE("network: a fixed port whose last connection is an orphan is told of that") {
    const auto said = with_server([&](asio::io_context& io, tcp::acceptor& server) {
        const tcp::endpoint from(loopback, fixed);
        foreign_socket first(from, {.reuse_address = true});
        const tcp::endpoint to = server.local_endpoint();
        if (::connect(first.fd(), to.data(), static_cast<socklen_t>(to.size())) != 0) return std::string("no connect");
        const tcp::socket accepted = server.accept();
        first.close(); // FIN-WAIT-2: the peer stays
        return text_if(EADDRNOTAVAIL, refused(io, to, from));
    });
    if (skipped(!said)) return;
    is_said(*said, {"is not over, though no process holds it any more", cure}, {"already", "TIME-WAIT"});
}

TEST_CASE("network: a fixed port goes to another destination while it is in TIME-WAIT towards one") {
    const auto said = with_server([&](asio::io_context& io, tcp::acceptor& server) {
        const tcp::endpoint from(loopback, fixed);
        connect_and_close_first(io, server, from);
        tcp::acceptor other(io, {loopback, 50002});
        return refused(io, other.local_endpoint(), from).text;
    });
    if (skipped(!said)) return;
    CHECK(contains(*said, "there is a connection from 127.0.0.1:45678 to 127.0.0.1:50002 already"));
}

TEST_CASE("network: a fixed port that something listens on cannot be bound, and the listener is named") {
    for (const bool share : {false, true}) {
        const auto said = with_server([&](asio::io_context& io, tcp::acceptor& server) {
            const tcp::endpoint from(loopback, fixed);
            const foreign_socket listener =
                foreign_socket(from, {.reuse_address = true, .reuse_port = share}).listening();
            return text_if(EADDRINUSE, refused(io, server.local_endpoint(), from)) + " inode " + listener.inode();
        });
        if (skipped(!said)) return;
        is_said(*said,
                {"connect 127.0.0.1:50001 from 127.0.0.1:45678: bind: a live listener", "this process)", cure,
                 "Address already in use"},
                {"TIME-WAIT", "give "});
        CHECK(contains(*said, "which this connection does not set") == share);
    }
}

TEST_CASE("network: a fixed port that a socket without SO_REUSEADDR left in TIME-WAIT cannot be bound") {
    const auto said = with_server([&](asio::io_context& io, tcp::acceptor& server) {
        const tcp::endpoint from(loopback, fixed);
        connect_and_close_first<not_reusing>(io, server, from);
        return text_if(EADDRINUSE, refused(io, server.local_endpoint(), from));
    });
    const auto off = with_server([&](asio::io_context& io, tcp::acceptor& server) {
        const tcp::endpoint from(loopback, fixed);
        connect_and_close_first(io, server, from);
        return text_if(EADDRINUSE, refused<not_reusing>(io, server.local_endpoint(), from));
    });
    if (skipped(!said || !off)) return;
    is_said(*said, {"bind: nothing listens there", "1 in TIME-WAIT", "without SO_REUSEADDR", "ends within ", cure});
    is_said(*off, {"bind: nothing listens there", "1 in TIME-WAIT", "set reuse_address = true in the policy", cure});
}

TEST_CASE("network: a fixed port that another socket has bound and an address of nobody's are told apart") {
    const auto bound = with_server([&](asio::io_context& io, tcp::acceptor& server) {
        const foreign_socket other({loopback, fixed}, {.reuse_port = true});
        return text_if(EADDRINUSE, refused(io, server.local_endpoint(), {loopback, fixed}));
    });
    const auto absent = with_server([&](asio::io_context& io, tcp::acceptor& server) {
        return text_if(EADDRNOTAVAIL,
                       refused(io, server.local_endpoint(), {asio::ip::make_address("192.0.2.77"), fixed}));
    });
    if (skipped(!bound || !absent)) return;
    is_said(*bound, {"bind: a socket that is bound, but neither listens nor is connected",
                     "with SO_REUSEPORT, which this "
                     "connection does not set",
                     cure});
    is_said(*absent, {"bind: no interface of this network namespace has the address"}, {cure, "gone"});
}

TEST_CASE("network: a privileged port that may not be bound says what it needs") {
    const auto said = with_server([&](asio::io_context& io, tcp::acceptor& server) {
        const tcp::endpoint to = server.local_endpoint();
        return in_unprivileged_child([&] { return text_if(EACCES, refused(io, to, {loopback, 79})); });
    });
    if (skipped(!said)) return;
    is_said(*said, {"from 127.0.0.1:79: bind: ports below net.ipv4.ip_unprivileged_port_start"}, {cure});
}

TEST_CASE("A connection that was in the way and is gone by now is said to be gone") {
    asio::io_context io;
    const tcp::acceptor server(io, {loopback, 0});
    const tcp::endpoint nobody = foreign_socket({loopback, 0}).local();
    CHECK(contains(cs::detail::why_connection_exists(nobody, server.local_endpoint()), "gone by now: try again"));
}
