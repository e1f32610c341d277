// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_WAYS_TO_END_HPP
#define CLOSESIDE_LAB_TLS_WAYS_TO_END_HPP

#include "server.hpp"
#include "variant.hpp"

#include <closeside/ssl.hpp>

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <utility>

namespace lab::tls {

/// A close, from its start on.
class closing {
public:
    explicit closing(server_view& view) : view_(view), start_(steady::now()) {}

    void over(closeside::error_code ec = {}) const {
        view_.error = ec;
        view_.took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - start_);
        view_.closed = true;
    }

    /// What async_close completes with.
    template <class Report>
    void operator()(closeside::error_code ec, const Report& report) const {
        over(ec);
        static_cast<Report&>(view_.report.emplace()) = report;
    }

private:
    server_view& view_;
    steady::time_point start_;
};

template <closeside::close_policy P>
void end(closeside::stream<P>& stream, const variant&, asio::steady_timer&, const closing& told) {
    stream.async_close(told);
}

template <closeside::close_policy P>
void end(closeside::ssl_stream<P>& stream, const variant& what, asio::steady_timer&, const closing& told) {
    if (what.server != server_kind::dropped) return stream.async_close(told);
    // The context has work as long as the close in the background has.
    const closeside::ssl_stream<P> dropped_here = std::move(stream);
}

/// As many programs do it. close() ends what is under way.
inline void end(asio::ssl::stream<asio::ip::tcp::socket>& stream, const variant& what, asio::steady_timer& limit,
                const closing& told) {
    if (what.server == server_kind::asio_destroyed) {
        const asio::ssl::stream<asio::ip::tcp::socket> dropped_here = std::move(stream);
        return;
    }
    limit.expires_after(shutdown_limit);
    limit.async_wait([&stream](closeside::error_code cancelled) {
        closeside::error_code ignored;
        if (!cancelled) stream.next_layer().close(ignored);
    });
    stream.async_shutdown([&stream, &limit, told](closeside::error_code ec) {
        limit.cancel();
        closeside::error_code ignored;
        stream.next_layer().close(ignored);
        told.over(ec);
    });
}

} // namespace lab::tls

#endif
