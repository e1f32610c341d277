// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_CONNECTED_HPP
#define CLOSESIDE_LAB_SLOW_PEER_CONNECTED_HPP

#include "../support/observed.hpp"

#include "observation/segment.hpp"

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>

namespace lab::slow_peer {

enum class window : std::uint8_t { usual, smallest };

/// A blocking socket that is connected to this server, from the calling thread's host.
inline descriptor connected(const std::string& server, std::uint16_t port, window w = window::usual) {
    descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int smallest = 1; // the kernel makes it its minimum, about a segment
    if (w == window::smallest) ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(observation::ipv4(server));
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        throw std::system_error(errno, std::generic_category(), "connect to " + server + ":" + std::to_string(port));
    return socket;
}

} // namespace lab::slow_peer

#endif
