// SPDX-License-Identifier: BSL-1.0
#include "contender.hpp"
#include "http_server.hpp"

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <memory>

namespace benchmark_serve {

namespace {

using asio::ip::tcp;

/// The socket's destructor, and so close(2).
struct plain_closing {
    using acceptor_type = tcp::acceptor;
    using stream_type = tcp::socket;

    explicit plain_closing(stream_type&) {}

    static void end(const std::shared_ptr<session<plain_closing>>&) {}
};

/// Half-closes and discards what the client still sends, until its FIN, for as long as policies::graceful waits in vain.
/** The buffer is the request's, which is no longer needed; the timer comes with the connection, as it would in a server
 *  that limits the time of a request too. */
struct lingering_by_hand {
    using acceptor_type = tcp::acceptor;
    using stream_type = tcp::socket;
    using session_type = std::shared_ptr<session<lingering_by_hand>>;

    explicit lingering_by_hand(stream_type& s) : timer(s.get_executor()) {}

    static void end(const session_type& s) {
        asio::error_code ec;
        s->stream.shutdown(tcp::socket::shutdown_send, ec);
        if (ec) return;
        s->ending.timer.expires_after(std::chrono::seconds(5));
        s->ending.timer.async_wait([s](const asio::error_code& stopped) {
            asio::error_code ignored;
            if (!stopped) s->stream.close(ignored); // cancel() would miss a read that is about to complete
        });
        discard(s);
    }

    static void discard(const session_type& s) {
        s->stream.async_read_some(asio::buffer(s->buffer), [s](const asio::error_code& ec, std::size_t) {
            if (!ec) return discard(s);
            s->ending.timer.cancel();
            asio::error_code ignored;
            s->stream.close(ignored);
        });
    }

    asio::steady_timer timer;
};

} // namespace

contender plain_close(client c) { return {"plain close", serve<plain_closing>, c}; }
contender lingering_close_by_hand(client c) { return {"lingering close by hand", serve<lingering_by_hand>, c}; }

} // namespace benchmark_serve
