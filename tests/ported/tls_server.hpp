// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_TLS_SERVER_HPP
#define CLOSESIDE_TESTS_PORTED_TLS_SERVER_HPP

#include "observation/descriptor.hpp"

#include <asio/ip/tcp.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

// The servers of the TLS client under test: OpenSSL on descriptors, driven by hand.
namespace ported {

using asio::ip::tcp;

template <class T, void (*Free)(T*)>
struct openssl_free {
    void operator()(T* object) const noexcept { Free(object); }
};
template <class T, void (*Free)(T*)>
using openssl_ptr = std::unique_ptr<T, openssl_free<T, Free>>;

/// A key of its own, and a certificate that it signs itself.
class tls_identity {
public:
    tls_identity() : certificate_(::X509_new()) {
        const openssl_ptr<EVP_PKEY_CTX, ::EVP_PKEY_CTX_free> context(::EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
        EVP_PKEY* key = nullptr;
        const bool made =
            context && ::EVP_PKEY_keygen_init(context.get()) == 1 && ::EVP_PKEY_keygen(context.get(), &key) == 1;
        key_.reset(key);
        X509* const c = certificate_.get();
        X509_NAME* const name = ::X509_get_subject_name(c);
        const bool signed_by_itself =
            made && ::X509_set_version(c, 2) == 1 && ::ASN1_INTEGER_set(::X509_get_serialNumber(c), 1) == 1 &&
            ::X509_gmtime_adj(::X509_getm_notBefore(c), -3600) != nullptr &&
            ::X509_gmtime_adj(::X509_getm_notAfter(c), 3600) != nullptr &&
            ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"),
                                         -1, -1, 0) == 1 &&
            ::X509_set_issuer_name(c, name) == 1 && ::X509_set_pubkey(c, key) == 1 && ::X509_sign(c, key, nullptr) > 0;
        if (!signed_by_itself) throw std::runtime_error("tls_identity");
    }

    EVP_PKEY* key() const { return key_.get(); }
    X509* certificate() const { return certificate_.get(); }

private:
    openssl_ptr<EVP_PKEY, ::EVP_PKEY_free> key_;
    openssl_ptr<X509, ::X509_free> certificate_;
};

/// A connection that the client under test has made; each call is over five seconds after the peer's last move.
class tls_connection {
public:
    tls_connection(observation::descriptor fd, SSL_CTX* context) : fd_(std::move(fd)), ssl_(::SSL_new(context)) {
        ::SSL_set_fd(ssl_.get(), fd_.get());
        socklen_t size = static_cast<socklen_t>(client_.capacity());
        ::getpeername(fd_.get(), client_.data(), &size);
        client_.resize(size);
    }

    /// The client's address.
    const tcp::endpoint& client() const { return client_; }

    bool handshake() {
        return done([&] { return ::SSL_accept(ssl_.get()); });
    }
    bool write(const std::string& data) {
        return done([&] { return ::SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size())); });
    }
    /// As much as goes out without waiting.
    std::size_t flood() {
        const std::string data(16 * 1024, 'f');
        std::size_t sent = 0;
        while (sent < 64 * data.size() && ::SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size())) > 0)
            sent += data.size();
        return sent;
    }
    /// Until `most` bytes, the end of the stream, or an error.
    std::size_t read(std::size_t most = ~std::size_t{0}) {
        std::vector<char> buffer(16 * 1024);
        std::size_t all = 0;
        int n = 0;
        const auto some = [&] {
            return n = ::SSL_read(ssl_.get(), buffer.data(), static_cast<int>(std::min(buffer.size(), most - all)));
        };
        while (all < most && done(some)) all += static_cast<std::size_t>(n);
        return all;
    }
    void reset() {
        const ::linger abort{1, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        fd_.close();
    }

private:
    /// Calls until it succeeds; false if the connection has ended, or nothing moves for five seconds.
    template <class Call>
    bool done(Call call) {
        while (true) {
            const int n = call();
            if (n > 0) return true;
            const int error = ::SSL_get_error(ssl_.get(), n);
            const short event = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
            ::pollfd p{fd_.get(), event, 0};
            if ((error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) || ::poll(&p, 1, 5000) != 1)
                return false;
        }
    }

    observation::descriptor fd_;
    openssl_ptr<SSL, ::SSL_free> ssl_;
    tcp::endpoint client_;
};

class tls_server {
public:
    explicit tls_server(const tls_identity& identity)
        : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), context_(::SSL_CTX_new(::TLS_server_method())),
          at_(asio::ip::address_v4::loopback(), 0) {
        socklen_t size = static_cast<socklen_t>(at_.size());
        if (::bind(listener_.get(), at_.data(), size) != 0 || ::listen(listener_.get(), 8) != 0 ||
            ::getsockname(listener_.get(), at_.data(), &size) != 0 ||
            ::SSL_CTX_use_certificate(context_.get(), identity.certificate()) != 1 ||
            ::SSL_CTX_use_PrivateKey(context_.get(), identity.key()) != 1)
            throw std::runtime_error("tls_server");
    }

    const tcp::endpoint& at() const { return at_; }

    /// The next connection, within five seconds.
    tls_connection accept() {
        ::pollfd p{listener_.get(), POLLIN, 0};
        if (::poll(&p, 1, 5000) != 1) throw std::runtime_error("tls_server: nobody connects");
        const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) throw std::runtime_error("tls_server: accept4");
        return tls_connection(observation::descriptor(fd), context_.get());
    }

private:
    observation::descriptor listener_;
    openssl_ptr<SSL_CTX, ::SSL_CTX_free> context_;
    tcp::endpoint at_;
};

} // namespace ported

#endif
