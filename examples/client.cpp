// SPDX-License-Identifier: BSL-1.0
// An HTTP client that tries again: `client host port [path]` prints the body of the reply. Connects are bounded and
// repeated with a growing pause; the close is the one that the reply asks for. It logs a line for the connection.
#include <closeside/closeside.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

namespace cs = closeside;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

// We leave a connection that the server would keep: we close first, and hold the TIME-WAIT.
constexpr cs::close_policy leaving = cs::policies::graceful;
// `Connection: close`: the server ends it. Its FIN comes first, and no local port of ours stays in TIME-WAIT.
constexpr cs::close_policy server_ends = cs::policies::peer_first;
using stream = cs::stream<leaving>;

auto into(cs::error_code& ec) { return asio::redirect_error(asio::use_awaitable, ec); }

asio::awaitable<stream> connect(std::string host, std::string service) {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    tcp::resolver resolver(executor);
    auto pause = 100ms;
    for (int attempt = 1;; ++attempt, pause *= 2) {
        cs::error_code ec, late;
        // Resolved anew each time: the name may stand for another host by now.
        const auto to = co_await resolver.async_resolve(host, service, into(ec));
        if (!ec) {
            timer.expires_after(3s);
            auto first = co_await (cs::async_connect<leaving>(executor, to, into(ec)) || timer.async_wait(into(late)));
            if (first.index() == 1)
                ec = asio::error::timed_out;
            else if (!ec)
                co_return std::get<0>(std::move(first));
        }
        std::clog << "attempt " << attempt << ": " << ec.message() << '\n';
        if (attempt == 5) throw cs::system_error(ec, "connect to " + host + ":" + service);
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

std::size_t length_in(const std::string& header) {
    const std::string name = "\r\nContent-Length: ";
    const std::size_t at = header.find(name);
    return at == std::string::npos ? 0 : std::stoul(header.substr(at + name.size()));
}

/// Prints the body; true if the server has said that it ends the connection.
asio::awaitable<bool> get(stream& server, std::string host, std::string path) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    co_await asio::async_write(server, asio::buffer(request), asio::use_awaitable);
    std::string reply;
    const std::size_t header =
        co_await asio::async_read_until(server, asio::dynamic_buffer(reply), "\r\n\r\n", asio::use_awaitable);
    const std::size_t size = header + length_in(reply.substr(0, header));
    if (reply.size() < size)
        co_await asio::async_read(server, asio::dynamic_buffer(reply), asio::transfer_exactly(size - reply.size()),
                                  asio::use_awaitable);
    std::cout << reply.substr(header, size - header) << std::flush;
    co_return reply.substr(0, header).find("\r\nConnection: close\r\n") != std::string::npos;
}

asio::awaitable<void> run(std::string host, std::string service, std::string path) {
    stream server = co_await connect(host, service);
    asio::steady_timer limit(server.get_executor(), 30s);
    const auto first = co_await (get(server, host, path) || limit.async_wait(asio::use_awaitable));
    if (first.index() == 1) throw cs::system_error(asio::error::timed_out, "GET " + path); // the destructor closes
    const bool told = std::get<0>(first);
    cs::error_code ec;
    const cs::close_report report = co_await server.async_close(told ? server_ends : leaving, into(ec));
    std::clog << "closed: " << ec.message() << ": " << report << '\n';
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "usage: client host port [path]\n";
        return EXIT_FAILURE;
    }
    try {
        asio::io_context io(1);
        std::exception_ptr failure;
        asio::co_spawn(io, run(argv[1], argv[2], argc > 3 ? argv[3] : "/"),
                       [&](std::exception_ptr thrown) { failure = std::move(thrown); });
        io.run();
        if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        std::cerr << "client: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
