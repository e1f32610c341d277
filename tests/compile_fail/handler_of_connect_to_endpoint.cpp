// SPDX-License-Identifier: BSL-1.0
// error: async_connect to an endpoint completes with (error_code)
#include <closeside/stream.hpp>

namespace net = closeside::asio;
using net::ip::tcp;

constexpr closeside::close_policy front_end{};

void use(closeside::stream<front_end>& s, const tcp::endpoint& to) {
#ifdef BAD
    s.async_connect(to, [] {});
#else
    s.async_connect(to, [](closeside::error_code) {});
#endif
}
