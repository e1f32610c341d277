// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_CHANNEL_HPP
#define CLOSESIDE_LAB_TLS_CHANNEL_HPP

#include "variant.hpp"

#include "observation/certificate.hpp"
#include "observation/descriptor.hpp"
#include "observation/endpoint.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace lab::tls {

/// What a read of a channel met.
enum class met : std::uint8_t { data, nothing_yet, close_notify, fin, reset };

/// A client's connection: OpenSSL, or nothing, on a non-blocking socket. Nothing of it is the library's or Asio's.
/** The calling thread has SIGPIPE blocked, which OpenSSL raises. */
class channel {
public:
    /// Connects from the calling thread's host, and shakes hands. Throws std::runtime_error.
    channel(observation::endpoint server, protocol over, std::chrono::milliseconds limit);

    /// Reads up to `size` bytes, which it throws away, and adds their number to `received`.
    met read(std::size_t size, std::uint64_t& received);

    /// False if there is no room, or no connection any more.
    bool write(const std::string& text);

    /// Waits until something is there to read, or the time is over.
    void wait_for_input(std::chrono::milliseconds limit) const;

    void send_close_notify();

    void close() noexcept { socket_.close(); }

    /// RST.
    void reset() noexcept;

private:
    met read_plain(std::size_t size, std::uint64_t& received);
    met read_tls(std::size_t size, std::uint64_t& received);
    met end_of_file() const noexcept { return sending_failed_ ? met::reset : met::fin; }
    void handshake(std::chrono::milliseconds limit);

    observation::descriptor socket_;
    observation::openssl_ptr<::SSL_CTX> context_;
    observation::openssl_ptr<::SSL> ssl_; ///< null: plain TCP
    /// It was reset; send(2) has taken the error, so that recv(2) reports an end of file.
    bool sending_failed_ = false;
};

} // namespace lab::tls

#endif
