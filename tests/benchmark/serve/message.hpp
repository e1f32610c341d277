// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SERVE_MESSAGE_HPP
#define CLOSESIDE_BENCHMARK_SERVE_MESSAGE_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace benchmark_serve {

inline constexpr std::string_view blank_line = "\r\n\r\n";

/// `Connection: close`, so that every server ends the connection after one reply.
inline constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

inline constexpr std::size_t body_size = 1024;

inline std::string body() { return std::string(body_size, 'x'); }

/// What the servers on Asio send; nginx writes a header of its own, some 80 bytes longer.
inline const std::string& reply() {
    static const std::string text =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\nConnection: close\r\n\r\n" + body();
    return text;
}

} // namespace benchmark_serve

#endif
