// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_EXAMPLES_PROXY_HPP
#define CLOSESIDE_EXAMPLES_PROXY_HPP

#include "../time_limit.hpp"

#include <closeside/closeside.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace proxying {

namespace cs = closeside;
namespace net = boost::asio;
using net::ip::tcp;

// Clients that do not expect the end see our FIN at once; what they still send is drained.
inline constexpr cs::close_policy untold = cs::policies::graceful;
// Clients that have had `Connection: close` close first, and keep the TIME-WAIT.
inline constexpr cs::close_policy told = cs::policies::peer_first;
// So does the server behind us, and spares this host a port in TIME-WAIT. One that waits for us, too, waits longer.
inline constexpr cs::close_policy told_server{.closes_first = cs::side::peer, .patience = std::chrono::seconds(1)};

using stream = cs::stream<untold>;
using clock_type = std::chrono::steady_clock;

inline constexpr auto no_throw = net::as_tuple(net::use_awaitable);

struct arguments {
    std::string to;
    std::uint16_t port = 8080;
    double idle = 30, pool_idle = 4; // seconds; the latter less than the server behind us waits
    unsigned requests = 1000;        // on a connection to it, of which the last one says so
    double notice = 1, within = 30;
    bool tcp = false, log = false;
};

inline clock_type::duration seconds(double s) {
    return std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(s));
}

/// A connection to the server behind us.
struct upstream {
    stream server;
    unsigned requests = 0; // that it has had
    clock_type::time_point idle_since{};
    enum { is_cut, is_idle, is_told } next = is_cut; // after a reply
};

/// Idle connections. Nothing is under way on them, so that a reset loses nothing, and leaves no TIME-WAIT anywhere.
class pool {
public:
    void put(upstream idle) {
        if (idle_.size() == most) return idle.server.abort();
        idle.idle_since = clock_type::now();
        idle_.push_back(std::move(idle));
    }

    /// The one that was used last, if the server has not ended it.
    std::optional<upstream> take() {
        while (!idle_.empty()) {
            upstream last = std::move(idle_.back());
            idle_.pop_back();
            if (is_silent(last.server)) return last;
            last.server.abort();
        }
        return std::nullopt;
    }

    void reap(clock_type::duration age) {
        const auto is_over = [since = clock_type::now() - age](upstream& idle) {
            if (idle.idle_since > since && is_silent(idle.server)) return false;
            idle.server.abort();
            return true;
        };
        std::erase_if(idle_, is_over);
    }

private:
    /// No FIN, no reset, and no byte that nobody has asked for.
    static bool is_silent(stream& server) {
        char byte;
        return ::recv(server.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
    }

    static constexpr std::size_t most = 256;
    std::vector<upstream> idle_;
};

struct proxy {
    const arguments& given;
    net::io_context io{1};
    tcp::resolver::results_type to = {};
    cs::orderly_stop stop{io};
    pool idle = {};
    net::steady_timer reaping{io};
};

/// To the server behind us, within five seconds.
net::awaitable<std::optional<upstream>> connect(proxy& here);

net::awaitable<void> close(stream& end, const cs::close_policy& how, std::string whose, proxy& here);

void log(const proxy& here, const std::string& whose, const cs::error_code& ec, const cs::close_report& report);

/// The life of a connection to a client, in http.cpp.
net::awaitable<void> http_session(stream accepted, proxy& here);

} // namespace proxying

#endif
