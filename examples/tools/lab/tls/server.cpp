// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

#include "exchange.hpp"

#include "observation/certificate.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <optional>
#include <type_traits>
#include <utility>

#include <fcntl.h>

namespace lab::tls {

namespace {

namespace cs = closeside;
using asio::ip::tcp;

/// A preset within the lab's limits.
constexpr cs::close_policy shortened(cs::close_policy policy) {
    policy.patience = patience;
    policy.drain_time = drain_time;
    policy.drain_idle = drain_idle;
    return policy;
}
constexpr cs::close_policy graceful = shortened(cs::policies::graceful);
constexpr cs::close_policy peer_first = shortened(cs::policies::peer_first);
constexpr cs::close_policy peer_first_or_reset = shortened(cs::policies::peer_first_or_reset);

asio::ssl::context context_for(protocol over) {
    return server_context<asio::ssl::context>(over == protocol::tls1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
}

/// The programs that other cells run must not hold the connection.
void close_on_exec(tcp::socket& accepted) { ::fcntl(accepted.native_handle(), F_SETFD, FD_CLOEXEC); }
template <cs::close_policy P>
void close_on_exec(cs::stream<P>&) {}

/// Accepts one connection, and serves it as a Stream, which Accepted makes, with a context of TLS if it needs one.
template <class Stream, class Accepted, class Acceptor>
server_view serve_as(const variant& what, const host& where, std::uint16_t port,
                     const std::function<void()>& on_listening) {
    server_view view;
    asio::io_context io(1);
    asio::ssl::context tls = context_for(what.over);
    std::optional<exchange<Stream>> served;
    Acceptor listener = where.run([&] { return Acceptor(io, tcp::endpoint(tcp::v4(), port)); });
    on_listening();
    listener.async_accept([&](cs::error_code ec, Accepted accepted) {
        if (ec) {
            view.failure = "accept: " + ec.message();
            return;
        }
        close_on_exec(accepted);
        const tcp::endpoint client = accepted.remote_endpoint(ec);
        if (!ec) view.client = {client.address().to_v4().to_uint(), client.port()};
        if constexpr (std::is_same_v<Stream, Accepted>)
            served.emplace(what, view, std::move(accepted));
        else
            served.emplace(what, view, std::move(accepted), tls);
        served->start();
    });
    io.run_for(bound);
    // A close that tells nobody is over when the context has nothing to do.
    if (served && served->told() && !view.closed && io.stopped()) served->told()->over();
    if (!view.closed && view.failure.empty()) view.failure = "the close did not end";
    return view;
}

template <cs::close_policy P>
server_view serve_under(const variant& what, const host& where, std::uint16_t port,
                        const std::function<void()>& on_listening) {
    using accepted = cs::stream<P>;
    if (what.over == protocol::tcp)
        return serve_as<accepted, accepted, cs::acceptor<P>>(what, where, port, on_listening);
    return serve_as<cs::ssl_stream<P>, accepted, cs::acceptor<P>>(what, where, port, on_listening);
}

} // namespace

server_view serve_one(const variant& what, const host& where, std::uint16_t port,
                      const std::function<void()>& on_listening) {
    switch (what.server) {
    case server_kind::graceful:
    case server_kind::dropped: return serve_under<graceful>(what, where, port, on_listening);
    case server_kind::peer_first: return serve_under<peer_first>(what, where, port, on_listening);
    case server_kind::peer_first_or_reset: return serve_under<peer_first_or_reset>(what, where, port, on_listening);
    case server_kind::abortive: return serve_under<cs::policies::abortive>(what, where, port, on_listening);
    case server_kind::system: return serve_under<cs::policies::system>(what, where, port, on_listening);
    case server_kind::asio_destroyed:
    case server_kind::asio_shutdown:
        return serve_as<asio::ssl::stream<tcp::socket>, tcp::socket, tcp::acceptor>(what, where, port, on_listening);
    }
    return {};
}

} // namespace lab::tls
