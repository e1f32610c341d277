// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_TIME_WAIT_SOCKETS_HPP
#define CLOSESIDE_TESTS_SUPPORT_TIME_WAIT_SOCKETS_HPP

#include "support/loopback_tcp.hpp"
#include "support/own_network.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// For a network namespace of one's own, once the loopback interface is up.
namespace tests {

/// Leaves `count` connections in TIME-WAIT on the server's side, 127.0.0.1:9000, some 25 µs each, and changes sysctls.
/** Every one has an address and port of its own on the client's side, since a SYN would take over a TIME-WAIT. No more
 *  than three descriptors are open at a time. tcp_rfc1337, so that no RST can end a TIME-WAIT: a FIN that a busy machine
 *  makes the client send twice may be acknowledged when the client is gone already, which answers with one. */
inline void make_time_wait_sockets(std::uint32_t count) {
    using loopback_tcp::generic;
    using observation::socket_address;
    constexpr std::uint32_t ports_of_a_client = 60000, first_port = 1025;
    set_sysctl("tcp_max_tw_buckets", std::to_string(std::max(count * 2, 1000u)));
    set_sysctl("tcp_rfc1337", "1");
    const auto server = loopback_tcp::at(loopback_tcp::service);
    const descriptor listener = loopback_tcp::listening(1);
    for (std::uint32_t i = 0; i != count; ++i) {
        const auto client = socket_address({INADDR_LOOPBACK + 1 + i / ports_of_a_client,
                                            static_cast<std::uint16_t>(first_port + i % ports_of_a_client)});
        const int active = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
        checked(::bind(active, generic(client), sizeof client), "bind of a client");
        checked(::connect(active, generic(server), sizeof server), "connect");
        ::close(checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
        ::close(active);
    }
}

} // namespace tests

#endif
