// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_TLS_HPP
#define CLOSESIDE_TESTS_SUPPORT_TLS_HPP

#include "support/certificate.hpp"
#include "support/connection.hpp"
#include "support/tls_client.hpp"

#include <closeside/ssl.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include <openssl/ssl.h>

namespace tests {

/// `version`: TLS1_2_VERSION or TLS1_3_VERSION.
inline closeside::asio::ssl::context server_context(int version = TLS1_3_VERSION) {
    return server_context<closeside::asio::ssl::context>(version);
}

/// A TLS connection from OpenSSL's client to an ssl_stream<P>, over loopback, its handshake done.
template <closeside::close_policy P>
struct tls_connection : connection<P> {
    explicit tls_connection(int version = TLS1_3_VERSION) : context(server_context(version)), client(this->peer.fd()) {
        tls.emplace(std::move(*this->stream), context);
        bool done = false;
        closeside::error_code failure;
        tls->async_handshake(tls->server, [&](closeside::error_code ec) {
            failure = ec;
            done = true;
        });
        bool client_done = false;
        const bool met = this->run_until([&] { return (client_done = client_done || client.handshake()) && done; });
        if (!met || failure) throw std::runtime_error("no TLS: " + failure.message());
        client.read(); // the tickets
    }

    /// Begins async_close and returns where its outcome goes.
    auto close(const closeside::close_policy& by = P) {
        auto told = std::make_shared<outcome>();
        tls->async_close(by, [told](closeside::error_code ec, const closeside::tls_close_report& r) {
            told->ec = ec;
            told->report = r;
            ++told->calls;
        });
        return told;
    }

    struct outcome {
        closeside::error_code ec;
        closeside::tls_close_report report;
        int calls = 0;
    };

    closeside::asio::ssl::context context;
    tls_client client;
    std::optional<closeside::ssl_stream<P>> tls;
};

} // namespace tests

#endif
