// SPDX-License-Identifier: BSL-1.0
// error: async_accept completes with (error_code, stream)
#include <closeside/acceptor.hpp>

namespace net = closeside::asio;
using net::ip::tcp;

constexpr closeside::close_policy front_end{};

void use(closeside::acceptor<front_end>& a) {
#ifdef BAD
    a.async_accept([](closeside::error_code, tcp::socket) {});
#else
    a.async_accept([](closeside::error_code, closeside::stream<front_end>) {});
#endif
}
