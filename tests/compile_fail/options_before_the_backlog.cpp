// SPDX-License-Identifier: BSL-1.0
// refused: options come after the backlog: write (io, endpoint, asio::socket_base::max_listen_connections, option)
#include <closeside/acceptor.hpp>

namespace net = closeside::asio;
using net::ip::tcp;

constexpr closeside::close_policy front_end{};

void use(net::io_context& io) {
#ifdef BAD
    const closeside::acceptor<front_end> a(io, {tcp::v6(), 0}, tcp::no_delay(true));
#else
    const closeside::acceptor<front_end> a(io, {tcp::v6(), 0}, net::socket_base::max_listen_connections,
                                           tcp::no_delay(true));
#endif
}
