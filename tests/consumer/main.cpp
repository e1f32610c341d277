// SPDX-License-Identifier: BSL-1.0
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/version.hpp>

static_assert(ASIO_VERSION >= 102201);

int main() {
    asio::io_context io;
    const closeside::acceptor<closeside::policies::peer_first> listener(io, {asio::ip::address_v4::loopback(), 0});
    return listener.is_open() ? 0 : 1;
}
