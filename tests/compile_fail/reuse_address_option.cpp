// SPDX-License-Identifier: BSL-1.0
// rule: SO_REUSEADDR is the policy's to set
#include <closeside/acceptor.hpp>

#include <asio/io_context.hpp>

#ifdef BAD
constexpr closeside::close_policy policy{};
const asio::socket_base::reuse_address option(false);
#else
constexpr closeside::close_policy policy{.reuse_address = false};
const asio::ip::tcp::no_delay option(true);
#endif

void listen(asio::io_context& io, const asio::ip::tcp::endpoint& at) {
    closeside::acceptor<policy>(io.get_executor(), at, 8, option);
}
