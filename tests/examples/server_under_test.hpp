// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_EXAMPLES_SERVER_UNDER_TEST_HPP
#define CLOSESIDE_TESTS_EXAMPLES_SERVER_UNDER_TEST_HPP

#include "support/connection.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

#include <poll.h>
#include <sys/socket.h>

namespace tests {

/// Where a server on IPv4 says that it listens: `echoing on 127.0.0.1:40123`.
inline tcp::endpoint endpoint_of(running_program& server, const std::string& words = " on ") {
    std::string line = server.line_with(words);
    line = line.substr(0, line.find(','));
    REQUIRE(line.find(':') != std::string::npos);
    return {asio::ip::address_v4::loopback(), static_cast<unsigned short>(std::stoi(line.substr(line.rfind(':') + 1)))};
}

/// Sends to an echoing server without reading until it takes no more: it is in the middle of its reply then.
/** Returns how much that was. */
inline std::size_t leave_in_mid_reply(test_peer& peer) {
    std::size_t sent = 0;
    for (int idle = 0; idle != 10;) {
        const std::size_t more = peer.flood();
        sent += more;
        idle = more == 0 ? idle + 1 : 0;
        ::pollfd room{peer.fd(), POLLOUT, 0};
        ::poll(&room, 1, 50);
    }
    return sent;
}

/// What the report in a line says that the close has discarded.
inline std::size_t discarded_in(const std::string& line) {
    const std::string before = "discarded=";
    REQUIRE(line.find(before) != std::string::npos);
    return std::stoul(line.substr(line.find(before) + before.size()));
}

inline void send_text(test_peer& peer, const std::string& text) {
    REQUIRE(::send(peer.fd(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

} // namespace tests

#endif
