// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_EXAMPLES_HTTP_CLIENT_HPP
#define CLOSESIDE_TESTS_EXAMPLES_HTTP_CLIENT_HPP

#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/run_program.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

namespace tests {

/// What a raw client has received, and how the connection stands.
struct received {
    std::string text;
    bool ended = false; ///< by FIN
    int error = 0;      ///< ECONNRESET, or EAGAIN: nothing more came in time
};

/// Reads until `text` ends with `end`, or, without one, until the end of the connection; for five seconds at most.
inline received read_until(test_peer& peer, const std::string& end = {}) {
    received r;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    std::vector<char> buffer(256 * 1024);
    while (end.empty() || !r.text.ends_with(end)) {
        if (std::chrono::steady_clock::now() > limit) {
            r.error = EAGAIN;
            return r;
        }
        ::pollfd input{peer.fd(), POLLIN, 0};
        if (::poll(&input, 1, 100) <= 0) continue;
        const ssize_t n = ::recv(peer.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n > 0) {
            r.text.append(buffer.data(), static_cast<std::size_t>(n));
            continue;
        }
        r.ended = n == 0;
        r.error = n == 0 ? 0 : errno;
        return r;
    }
    return r;
}

/// Until a byte has come, which stays there.
inline bool has_input(test_peer& peer) {
    ::pollfd input{peer.fd(), POLLIN, 0};
    return ::poll(&input, 1, 5000) == 1;
}

/// A request without a body; `more` are lines of its header.
inline std::string get(const std::string& target, const std::string& more = {}, const std::string& version = "1.1") {
    return "GET " + target + " HTTP/" + version + "\r\nHost: test\r\n" + more + "\r\n";
}

inline std::string curl(std::vector<std::string> arguments) {
    const std::vector<std::string> first{CLOSESIDE_CURL, "-s", "--max-time", "8"};
    arguments.insert(arguments.begin(), first.begin(), first.end());
    return run_program(arguments).out;
}

inline bool is_missing(const std::string& program, const char* name) {
    if (program.empty()) MESSAGE("SKIPPED: ", name, " is not installed");
    return program.empty();
}

} // namespace tests

#endif
