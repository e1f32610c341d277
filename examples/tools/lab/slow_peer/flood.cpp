// SPDX-License-Identifier: BSL-1.0
#include "flood.hpp"

#include "../support/observed.hpp"
#include "../support/tcp_sockets.hpp"

#include "connected.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/stream.hpp>

#include <asio/buffer.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/time.h>

namespace lab::slow_peer {

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::uint16_t port = 8100;
constexpr std::size_t room = 256; // descriptors
constexpr closeside::close_policy policy{
    .closes_first = closeside::side::peer, .patience = 30s, .on_limit = closeside::limit_action::abort};
const std::string done = "done";

/// Answers the first byte, and waits for the peer's FIN.
template <class Connection>
class exchange : public std::enable_shared_from_this<exchange<Connection>> {
public:
    explicit exchange(Connection&& c) : connection_(std::move(c)) {}

    void begin() {
        connection_.async_read_some(asio::buffer(data_),
                                    [self = this->shared_from_this()](closeside::error_code ec, std::size_t) {
                                        if (!ec) self->answer();
                                    });
    }

private:
    void answer() {
        asio::async_write(connection_, asio::buffer(done),
                          [self = this->shared_from_this()](closeside::error_code ec, std::size_t) {
                              if (!ec) self->linger();
                          });
    }

    void linger() {
        if constexpr (requires { connection_.async_close(asio::detached); })
            connection_.async_close(asio::detached);
        else
            connection_.async_read_some(asio::buffer(data_),
                                        [self = this->shared_from_this()](closeside::error_code ec, std::size_t) {
                                            if (!ec) self->linger();
                                        });
    }

    Connection connection_;
    std::array<char, 64> data_{};
};

template <class Acceptor>
void accept_all(Acceptor& acceptor, asio::steady_timer& pause) {
    acceptor.async_accept([&](closeside::error_code ec, auto connection) {
        using connection_type = decltype(connection);
        if (!ec) std::make_shared<exchange<connection_type>>(std::move(connection))->begin();
        pause.expires_after(ec ? 100ms : 0ms);
        pause.async_wait([&](closeside::error_code) { accept_all(acceptor, pause); });
    });
}

int serve(lingering_by who) {
    const ::rlimit few{room, room};
    if (::setrlimit(RLIMIT_NOFILE, &few) != 0) throw std::system_error(errno, std::generic_category(), "setrlimit");
    asio::io_context io(1);
    asio::steady_timer pause(io);
    const tcp::endpoint here(tcp::v4(), port);
    closeside::acceptor<policy> ours(io);
    tcp::acceptor plain(io);
    if (who == lingering_by::closeside) {
        ours.open();
        ours.bind(here);
        ours.listen();
        accept_all(ours, pause);
    } else {
        plain.open(tcp::v4());
        plain.set_option(tcp::acceptor::reuse_address(true));
        plain.bind(here);
        plain.listen();
        accept_all(plain, pause);
    }
    io.run();
    return 0;
}

/// Asks, and gets an answer within a second.
bool is_served(const descriptor& socket) {
    const timeval limit{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::array<char, 16> data;
    return ::send(socket.get(), "?", 1, MSG_NOSIGNAL) == 1 && ::recv(socket.get(), data.data(), data.size(), 0) > 0;
}

} // namespace

flood flood_with_slow_peers(lingering_by who, std::size_t peers, std::size_t healthy) {
    const std::string address = "198.51.100.1";
    const host server("server"), client("client");
    link(server, address + "/24", client, "198.51.100.2/24");
    const process serving = server.run([&] { return process([&] { return serve(who); }); });
    if (!eventually([&] { return !tcp_sockets(server, set_of(tcp_state::listen)).empty(); }, 20s))
        throw std::runtime_error("the server of the flood does not listen");

    flood found{.peers = peers, .healthy = healthy};
    const inside there(client);
    std::vector<descriptor> slow;
    for (std::size_t n = 0; n != peers; ++n) {
        slow.push_back(connected(address, port));
        static_cast<void>(::send(slow.back().get(), "?", 1, MSG_NOSIGNAL));
    }
    for (std::size_t n = 0; n != healthy; ++n) {
        const auto began = steady::now();
        const descriptor socket = connected(address, port);
        if (!is_served(socket)) continue;
        ++found.served;
        const std::chrono::duration<double, std::milli> took = steady::now() - began;
        found.worst_ms = std::max(found.worst_ms, took.count());
    }
    for (const descriptor& one : slow) {
        std::array<char, 64> data;
        ssize_t n = 1;
        while (n > 0) n = ::recv(one.get(), data.data(), data.size(), MSG_DONTWAIT);
        if (n == 0) ++found.ended;
        if (n < 0 && errno == ECONNRESET) ++found.reset;
    }
    found.time_waits = count(server, tcp_state::time_wait);
    return found;
}

void add_flood(report& r, const flood& ours, const flood& by_hand) {
    table t{.key = "flood",
            .title = "A flood of peers that take their reply and never close, on a server that may hold " +
                     std::to_string(room) +
                     " descriptors; then healthy\nclients, one after the other, each with a second.",
            .columns = {{"lingering", "lingering"},
                        {"peers", "peers"},
                        {"reset", "peers reset"},
                        {"ended", "by FIN"},
                        {"healthy", "healthy"},
                        {"served", "served"},
                        {"worst_ms", "worst ms", 1},
                        {"time_waits", "TIME-WAIT here"}},
            .rows = {}};
    const auto add = [&](const char* who, const flood& f) {
        t.rows.push_back({who, f.peers, f.reset, f.ended, f.healthy, f.served, f.worst_ms, f.time_waits});
    };
    add("closeside, peer_first_or_reset", ours);
    add("plain Asio, by hand", by_hand);
    r.tables.push_back(std::move(t));
    r.check(
        ours.served == ours.healthy && ours.reset + room >= ours.peers,
        "A flood of slow peers that holds every descriptor keeps no healthy client out: the closes that began first "
        "are shed.",
        std::to_string(ours.served) + " of " + std::to_string(ours.healthy) + " served, " + std::to_string(ours.reset) +
            " of " + std::to_string(ours.peers) + " slow peers reset; by hand " + std::to_string(by_hand.served) +
            " of " + std::to_string(by_hand.healthy));
    r.check(
        ours.time_waits == 0 && ours.ended == 0,
        "peer_first_or_reset keeps its promise under the flood: no TIME-WAIT comes to this host, and who is shed is "
        "reset.",
        std::to_string(ours.time_waits) + " sockets in TIME-WAIT, " + std::to_string(ours.ended) +
            " connections ended by our FIN");
}

} // namespace lab::slow_peer
