// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_TIME_WAIT_SOCKETS_HPP
#define CLOSESIDE_TESTS_SUPPORT_TIME_WAIT_SOCKETS_HPP

#include "support/own_network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// For a network namespace of one's own, once the loopback interface is up.
namespace tests {

namespace time_wait_sockets_detail {

inline int checked(int result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
}

inline ::sockaddr_in at(std::uint32_t address, std::uint32_t port) {
    ::sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(address);
    a.sin_port = htons(static_cast<std::uint16_t>(port));
    return a;
}

inline const ::sockaddr* generic(const ::sockaddr_in& a) { return reinterpret_cast<const ::sockaddr*>(&a); }

} // namespace time_wait_sockets_detail

/// Leaves `count` connections in TIME-WAIT on the server's side, 127.0.0.1:9000, some 25 µs each, and changes sysctls.
/** Every one has an address and port of its own on the client's side, since a SYN would take over a TIME-WAIT. No more
 *  than three descriptors are open at a time. tcp_rfc1337, so that no RST can end a TIME-WAIT: a FIN that a busy machine
 *  makes the client send twice may be acknowledged when the client is gone already, which answers with one. */
inline void make_time_wait_sockets(std::uint32_t count) {
    using namespace time_wait_sockets_detail;
    constexpr std::uint32_t ports_of_a_client = 60000, first_port = 1025;
    set_sysctl("tcp_max_tw_buckets", std::to_string(std::max(count * 2, 1000u)));
    set_sysctl("tcp_rfc1337", "1");
    const auto server = at(INADDR_LOOPBACK, 9000);
    const int listener = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    checked(::bind(listener, generic(server), sizeof server), "bind");
    checked(::listen(listener, 1), "listen");
    for (std::uint32_t i = 0; i != count; ++i) {
        const auto client = at(INADDR_LOOPBACK + 1 + i / ports_of_a_client, first_port + i % ports_of_a_client);
        const int active = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
        checked(::bind(active, generic(client), sizeof client), "bind of a client");
        checked(::connect(active, generic(server), sizeof server), "connect");
        ::close(checked(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
        ::close(active);
    }
    ::close(listener);
}

} // namespace tests

#endif
