// SPDX-License-Identifier: BSL-1.0
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#if defined(CLOSESIDE_USE_BOOST_ASIO)
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
static_assert(BOOST_ASIO_VERSION >= 102201);
#else
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
static_assert(ASIO_VERSION >= 102201);
#endif

#if defined(WANTS_COMPILED) && defined(CLOSESIDE_SEPARATE_COMPILATION) != WANTS_COMPILED
#error "the target is not in the mode that it stands for"
#endif

namespace cs = closeside;
namespace net = closeside::asio;
using server = cs::acceptor<cs::policies::peer_first>;

// Coroutines work as the target has them, with every compiler.
net::awaitable<void> accept_one(server& listener, bool& served) {
    const auto client = co_await listener.async_accept(net::use_awaitable);
    served = client.is_open();
}

int main() {
    net::io_context io;
    server listener(io, {net::ip::address_v4::loopback(), 0});
    bool served = false;
    net::co_spawn(io, accept_one(listener, served), net::detached);
    net::ip::tcp::socket client(io);
    client.connect(listener.local_endpoint());
    io.run_for(std::chrono::seconds(10));
    return served ? 0 : 1;
}
