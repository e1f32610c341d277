// SPDX-License-Identifier: BSL-1.0
// error: async_connect<P> completes with (error_code, stream)
#include <closeside/connect.hpp>

namespace net = closeside::asio;
using net::ip::tcp;

constexpr closeside::close_policy front_end{};

void use(net::io_context& io, const tcp::endpoint& to) {
#ifdef BAD
    closeside::async_connect<front_end>(io, to, [](closeside::error_code) {});
#else
    closeside::async_connect<front_end>(io, to, [](closeside::error_code, auto) {});
#endif
}
