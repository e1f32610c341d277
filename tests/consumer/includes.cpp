// SPDX-License-Identifier: BSL-1.0
// What a target can say wrongly: where the headers are, which Asio, which mode. main.cpp, which uses them, compiles longer.
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#if defined(CLOSESIDE_USE_BOOST_ASIO)
static_assert(BOOST_ASIO_VERSION >= 102201);
#else
static_assert(ASIO_VERSION >= 102201);
#endif

#if defined(WANTS_COMPILED) && defined(CLOSESIDE_SEPARATE_COMPILATION) != WANTS_COMPILED
#error "the target is not in the mode that it stands for"
#endif

int main() {
    closeside::asio::io_context io;
    closeside::acceptor<closeside::policies::peer_first> closed(io);
    return closed.is_open() ? 1 : 0;
}
