// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_OPTION_VIEW_HPP
#define CLOSESIDE_DETAIL_LISTEN_OPTION_VIEW_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/listen/socket_option.hpp>

#include <array>
#include <cstddef>
#include <string>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The arguments of setsockopt(2); the value stays the option's, which must outlive this.
struct option_view {
    int level;
    int name;
    const void* data;
    std::size_t size;
};

template <socket_option... Options>
std::array<option_view, sizeof...(Options)> views_of(const asio::ip::tcp& protocol, const Options&... options) {
    return {option_view{options.level(protocol), options.name(protocol), options.data(protocol),
                        options.size(protocol)}...};
}

/// `level 6, option 1`
inline std::string option_text(const option_view& o) {
    return "level " + std::to_string(o.level) + ", option " + std::to_string(o.name);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
