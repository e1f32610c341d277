// SPDX-License-Identifier: BSL-1.0
#include "clients.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace lab::restart {

namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// A port that no connection had before: one that the kernel chooses may be in TIME-WAIT on the server, and end that.
/** Where the kernel goes on from depends on what others on the machine connect between equal addresses. */
sockaddr_in next_own_address() {
    static std::uint16_t port = 10000;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port++);
    return address;
}

} // namespace

descriptor connect_to(const host& from, const char* address) {
    descriptor connection = from.run([] { return descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
    const sockaddr_in own = next_own_address();
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(server_port);
    ::inet_pton(AF_INET, address, &target.sin_addr);
    const timeval bound{.tv_sec = 20, .tv_usec = 0};
    if (!connection || ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound) != 0 ||
        ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound) != 0 ||
        ::bind(connection.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
        ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0)
        fail("connect of a client");
    return connection;
}

void tell(const descriptor& connection, order what) {
    if (::send(connection.get(), &what, sizeof what, MSG_NOSIGNAL) != 1) fail("send of a client");
}

void wait_for_end(const descriptor& connection) {
    char nothing = 0;
    if (::recv(connection.get(), &nothing, 1, 0) != 0) fail("recv of a client");
}

} // namespace lab::restart
