// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_MESSAGE_HPP
#define CLOSESIDE_LAB_TLS_MESSAGE_HPP

#include <cstddef>
#include <string>

namespace lab::tls {

// HTTP, so that curl takes part.
inline const std::string request = "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n";

inline constexpr std::size_t reply_size = 1 << 20; ///< bytes, the header included

inline const std::string reply = [] {
    const std::string begin = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ", end = "\r\n\r\n";
    constexpr std::size_t digits = 7; // of the length of the body
    std::string text = begin + std::to_string(reply_size - begin.size() - digits - end.size()) + end;
    text.resize(reply_size, 'r');
    return text;
}();

} // namespace lab::tls

#endif
