// SPDX-License-Identifier: BSL-1.0
// error: async_close completes with (error_code, close_report)
#include <closeside/stream.hpp>

namespace net = closeside::asio;
using net::ip::tcp;

constexpr closeside::close_policy front_end{};

void use(closeside::stream<front_end>& s) {
#ifdef BAD
    s.async_close([](closeside::error_code) {});
#else
    s.async_close([](closeside::error_code, closeside::close_report) {});
#endif
}
