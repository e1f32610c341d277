// SPDX-License-Identifier: BSL-1.0
// Accepts, connects and closes in the configuration of Asio that it is compiled in.
#include <closeside/closeside.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/strand.hpp>
#include <asio/version.hpp>

#include <cstdlib>
#include <iostream>
#include <system_error>
#include <utility>

namespace cs = closeside;
using asio::ip::tcp;

#if defined(ASIO_NO_EXCEPTIONS)
// Asio leaves it to the program.
namespace asio::detail {

template <class Exception>
#if ASIO_VERSION >= 102300
void throw_exception(const Exception& e, const source_location&) {
#else
void throw_exception(const Exception& e) {
#endif
    std::cerr << e.what() << '\n';
    std::abort();
}

} // namespace asio::detail
#endif

int main() {
    asio::io_context io;
    int succeeded = 0;
    const auto closed = [&](const std::error_code& ec, const cs::close_report& report) {
        std::cout << ec.message() << ": " << report << '\n';
        if (!ec) ++succeeded;
    };
    const auto close = [&](const std::error_code& ec, auto stream) {
        if (!ec) std::move(stream).async_close(closed);
    };
    const asio::any_io_executor executor = asio::make_strand(io);
    cs::acceptor<cs::policies::graceful> listener(executor, {asio::ip::address_v4::loopback(), 0});
    listener.async_accept(close);
    cs::async_connect<cs::policies::peer_first>(executor, listener.local_endpoint(), close);
    cs::async_close(tcp::socket(io), cs::policies::graceful, asio::detached);
    io.run();
    return succeeded == 2 ? 0 : 1;
}
