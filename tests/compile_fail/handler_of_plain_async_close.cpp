// SPDX-License-Identifier: BSL-1.0
// error: async_close completes with (error_code, close_report)
#include <closeside/close.hpp>

namespace net = closeside::asio;
using net::ip::tcp;

constexpr closeside::close_policy front_end{};

void use(tcp::socket& s) {
#ifdef BAD
    closeside::async_close(std::move(s), front_end, [](closeside::error_code) {});
#else
    closeside::async_close(std::move(s), front_end, [](closeside::error_code, const closeside::close_report&) {});
#endif
}
