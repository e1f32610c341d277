// SPDX-License-Identifier: BSL-1.0
// error: async_accept into a stream completes with (error_code)
#include <closeside/acceptor.hpp>

namespace net = closeside::asio;
using net::ip::tcp;

constexpr closeside::close_policy front_end{};

void use(closeside::acceptor<front_end>& a, closeside::stream<front_end>& s) {
#ifdef BAD
    a.async_accept(s, [](closeside::error_code, closeside::stream<front_end>) {});
#else
    a.async_accept(s, [](closeside::error_code) {});
#endif
}
