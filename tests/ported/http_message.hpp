// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_HTTP_MESSAGE_HPP
#define CLOSESIDE_TESTS_PORTED_HTTP_MESSAGE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace ported {

inline const std::string end_of_header = "\r\n\r\n";

/// A request for a body of that size.
inline std::string http_request(std::size_t size) {
    return "GET /" + std::to_string(size) + " HTTP/1.1\r\nConnection: close" + end_of_header;
}

/// What a server answers.
inline std::string http_reply(const std::string& request) {
    constexpr unsigned long most = 16u << 20;
    const std::string path = "GET /";
    if (!request.starts_with(path)) return "HTTP/1.1 400 Bad Request\r\nContent-Length: 0" + end_of_header;
    const std::size_t size = std::min(std::strtoul(request.c_str() + path.size(), nullptr, 10), most);
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(size) + end_of_header +
           std::string(size, 'r');
}

} // namespace ported

#endif
