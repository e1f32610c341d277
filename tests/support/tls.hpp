// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_TLS_HPP
#define CLOSESIDE_TESTS_SUPPORT_TLS_HPP

#include "support/certificate.hpp"
#include "support/connection.hpp"

#include <closeside/ssl.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <openssl/ssl.h>

namespace tests {

/// `version`: TLS1_2_VERSION or TLS1_3_VERSION.
inline closeside::asio::ssl::context server_context(int version = TLS1_3_VERSION) {
    return server_context<closeside::asio::ssl::context>(version);
}

/// The far end: OpenSSL's client on a non-blocking descriptor, driven by hand.
class tls_client {
public:
    explicit tls_client(int fd) : context_(::SSL_CTX_new(::TLS_client_method())), ssl_(::SSL_new(context_.get())) {
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        ::SSL_set_fd(ssl_.get(), fd);
        ::SSL_set_connect_state(ssl_.get());
    }

    bool handshake() { return ::SSL_do_handshake(ssl_.get()) == 1; }

    struct result {
        std::size_t bytes = 0;
        bool close_notify = false; ///< of the server's
        bool end_of_file = false;  ///< without it: truncated
        bool failed = false;       ///< a record is wrong, or the connection was reset
    };

    /// What is there now, added to what was.
    const result& read() {
        found_errors_ = found_errors_ || ::ERR_peek_error() != 0;
        read_on();
        ::ERR_clear_error(); // its own
        return read_;
    }
    /// Was there anything in OpenSSL's error queue when it read?
    bool found_errors() const { return found_errors_; }

    bool over() const { return read_.close_notify || read_.end_of_file || read_.failed; }

    /// False if there is no room, or no connection any more.
    bool write(const std::string& text) {
        ::ERR_clear_error();
        return ::SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) > 0;
    }

    void send_close_notify() {
        ::ERR_clear_error();
        ::SSL_shutdown(ssl_.get());
    }

    SSL* native_handle() { return ssl_.get(); }

private:
    void read_on() {
        char buffer[16 * 1024];
        while (!over()) {
            ::ERR_clear_error();
            const int n = ::SSL_read(ssl_.get(), buffer, sizeof buffer);
            if (n > 0) {
                read_.bytes += static_cast<std::size_t>(n);
                continue;
            }
            switch (::SSL_get_error(ssl_.get(), n)) {
            case SSL_ERROR_WANT_READ:
            case SSL_ERROR_WANT_WRITE: return;
            case SSL_ERROR_ZERO_RETURN: read_.close_notify = true; break;
            case SSL_ERROR_SSL: {
                const bool eof = ERR_GET_REASON(::ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
                (eof ? read_.end_of_file : read_.failed) = true;
                break;
            }
            default: read_.failed = true;
            }
        }
    }

    openssl_ptr<::SSL_CTX> context_;
    openssl_ptr<::SSL> ssl_;
    result read_;
    bool found_errors_ = false;
};

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
