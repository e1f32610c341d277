// SPDX-License-Identifier: BSL-1.0
#include "peers.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>

namespace lab::orphan {

peers::peers(observation::endpoint server, std::size_t count, std::size_t at_once) : at_once_(at_once) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    address.sin_addr.s_addr = htonl(server.address);
    connections_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int smallest = 1; // the kernel makes it its minimum, about a segment
        if (at_once_ != everything) ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest);
        if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::system_error(errno, std::generic_category(), "connect to " + to_string(server));
        connections_.push_back({.socket = std::move(socket)});
    }
}

void peers::read() {
    for (connection& one : connections_)
        if (!one.over) read(one);
}

void peers::read(connection& from) {
    std::array<char, 4096> buffer;
    for (std::size_t left = at_once_; left != 0;) {
        const ssize_t n = ::recv(from.socket.get(), buffer.data(), std::min(buffer.size(), left), MSG_DONTWAIT);
        if (n > 0) {
            received_ += static_cast<std::size_t>(n);
            if (left != everything) left -= static_cast<std::size_t>(n);
            continue;
        }
        if (n == 0) {
            if (!from.end_seen) ++ends_;
            from.end_seen = true;
            // After the FIN, a reset shows in SO_ERROR alone.
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(from.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
            if (error == 0) return;
            errno = error;
        }
        if (errno == EAGAIN || errno == EINTR) return;
        ++resets_;
        from.over = true;
        return;
    }
}

} // namespace lab::orphan
