// SPDX-License-Identifier: BSL-1.0
// Opens, drains and closes connections in every way that looks at input. Fails where nothing was discarded, since
// valgrind would then have had nothing to complain of.
#include <closeside/closeside.hpp>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <system_error>
#include <utility>

using namespace std::chrono_literals;
using asio::ip::tcp;
namespace cs = closeside;

namespace {

constexpr cs::close_policy until_acked{.linger = cs::lingering::until_acked(2s)};

struct connection_pair {
    tcp::socket peer;
    tcp::socket ours;
};

/// A connection whose peer has sent `bytes` and its FIN.
connection_pair with_input(asio::io_context& io, std::size_t bytes) {
    tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
    tcp::socket peer(io);
    peer.connect(listener.local_endpoint());
    tcp::socket ours = listener.accept();
    static const std::array<char, 4096> data{};
    asio::write(peer, asio::buffer(data, bytes));
    peer.shutdown(tcp::socket::shutdown_send);
    ours.wait(tcp::socket::wait_read);
    return {std::move(peer), std::move(ours)};
}

template <cs::close_policy P>
std::uint64_t bytes_discarded() {
    asio::io_context io;
    connection_pair told = with_input(io, 1000);
    std::uint64_t discarded = 0;
    cs::stream<P>(std::move(told.ours)).async_close([&](const std::error_code& ec, const cs::close_report& report) {
        if (ec) std::cerr << ec.message() << '\n';
        discarded = report.discarded;
    });
    connection_pair dropped = with_input(io, 2000);
    { const cs::stream<P> s(std::move(dropped.ours)); }
    connection_pair blocking = with_input(io, 3000);
    cs::stream<P> s(std::move(blocking.ours));
    std::error_code ec;
    s.close(ec);
    io.run();
    return discarded;
}

} // namespace

int main() {
    const bool drained = bytes_discarded<cs::policies::graceful>() == 1000 &&
                         bytes_discarded<cs::policies::peer_first>() == 1000 && bytes_discarded<until_acked>() == 1000;
    bytes_discarded<cs::policies::abortive>();
    bytes_discarded<cs::policies::system>();
    if (!drained) std::cerr << "the closes did not discard what the peer had sent\n";
    return drained ? 0 : 1;
}
