// SPDX-License-Identifier: BSL-1.0
// rule: SO_LINGER is the policy's to set
#include <closeside/acceptor.hpp>

#include <asio/io_context.hpp>

void listen(asio::io_context& io, const asio::ip::tcp::endpoint& at) {
#ifdef BAD
    closeside::acceptor<closeside::policies::graceful>(io, at, 8, asio::socket_base::linger(true, 0));
#else
    closeside::acceptor<closeside::policies::abortive>(io, at, 8, asio::socket_base::keep_alive(true));
#endif
}
