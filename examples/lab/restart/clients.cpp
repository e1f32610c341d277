// SPDX-License-Identifier: BSL-1.0
#include "clients.hpp"

#include <cerrno>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace lab::restart {

namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

} // namespace

descriptor connect_to(const host& from, const char* address) {
    descriptor connection = from.run([] { return descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(server_port);
    ::inet_pton(AF_INET, address, &target.sin_addr);
    const timeval bound{.tv_sec = 20, .tv_usec = 0};
    if (!connection || ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound) != 0 ||
        ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound) != 0 ||
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
