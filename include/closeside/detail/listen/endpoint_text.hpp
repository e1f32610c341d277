// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_ENDPOINT_TEXT_HPP
#define CLOSESIDE_DETAIL_LISTEN_ENDPOINT_TEXT_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/kernel/printable_text.hpp>

#include <string>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// As it is typed: `192.0.2.7:80`, `[2001:db8::7]:443`.
/** A scope brings the name of an interface along, in which the kernel allows all but blanks, slashes and colons. */
inline std::string endpoint_text(const asio::ip::tcp::endpoint& e) {
    const std::string address = printable(e.address().to_string());
    return (e.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(e.port());
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
