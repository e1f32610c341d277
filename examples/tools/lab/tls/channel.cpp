// SPDX-License-Identifier: BSL-1.0
#include "channel.hpp"

#include "observation/wait.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

namespace lab::tls {

namespace {

// What it has not read stays in the server's send queue, where a careless close discards it.
constexpr int receive_buffer = 64 << 10;
constexpr std::size_t record = 16 << 10; // the most that one call of OpenSSL returns

thread_local std::array<char, record> thrown_away;

bool is_reset(int error) { return error == ECONNRESET || error == EPIPE; }

} // namespace

channel::channel(observation::endpoint server, protocol over, std::chrono::milliseconds limit)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const ::sockaddr_in address = observation::socket_address(server);
    if (!socket_ || ::connect(socket_.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0 ||
        ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK) != 0)
        throw std::system_error(errno, std::generic_category(), "connect");
    if (over != protocol::tcp) handshake(limit);
}

void channel::handshake(std::chrono::milliseconds limit) {
    context_.reset(::SSL_CTX_new(::TLS_client_method()));
    ssl_.reset(::SSL_new(context_.get()));
    ::SSL_set_fd(ssl_.get(), socket_.get());
    ::SSL_set_connect_state(ssl_.get());
    const auto deadline = observation::steady::now() + limit;
    for (int result = 0; result != 1;) {
        ::ERR_clear_error();
        result = ::SSL_do_handshake(ssl_.get());
        if (result == 1) break;
        if (::SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ || observation::steady::now() >= deadline)
            throw std::runtime_error("the handshake failed");
        wait_for_input(limit);
    }
}

met channel::read(std::size_t size, std::uint64_t& received) {
    size = std::min(size, record);
    return ssl_ ? read_tls(size, received) : read_plain(size, received);
}

met channel::read_plain(std::size_t size, std::uint64_t& received) {
    const ssize_t n = ::recv(socket_.get(), thrown_away.data(), size, MSG_DONTWAIT);
    if (n == 0) return end_of_file();
    if (n < 0) return is_reset(errno) ? met::reset : met::nothing_yet;
    received += static_cast<std::uint64_t>(n);
    return met::data;
}

met channel::read_tls(std::size_t size, std::uint64_t& received) {
    ::ERR_clear_error();
    errno = 0;
    const int n = ::SSL_read(ssl_.get(), thrown_away.data(), static_cast<int>(size));
    if (n > 0) {
        received += static_cast<std::uint64_t>(n);
        return met::data;
    }
    switch (::SSL_get_error(ssl_.get(), n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return met::nothing_yet;
    case SSL_ERROR_ZERO_RETURN: return met::close_notify;
    case SSL_ERROR_SYSCALL: return met::reset;
    default:
        if (ERR_GET_REASON(::ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return end_of_file();
        throw std::runtime_error("what came is no record of TLS");
    }
}

bool channel::write(const std::string& text) {
    errno = 0;
    if (!ssl_) {
        const bool sent = ::send(socket_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
        sending_failed_ = sending_failed_ || (!sent && is_reset(errno));
        return sent;
    }
    ::ERR_clear_error();
    const int n = ::SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    sending_failed_ = sending_failed_ || (n <= 0 && ::SSL_get_error(ssl_.get(), n) == SSL_ERROR_SYSCALL);
    return n > 0;
}

void channel::wait_for_input(std::chrono::milliseconds limit) const {
    if (ssl_ && ::SSL_pending(ssl_.get()) > 0) return;
    pollfd entry{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    ::poll(&entry, 1, static_cast<int>(limit.count()));
}

void channel::send_close_notify() {
    if (!ssl_) return;
    ::ERR_clear_error();
    ::SSL_shutdown(ssl_.get());
}

void channel::reset() noexcept {
    const ::linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
}

} // namespace lab::tls
