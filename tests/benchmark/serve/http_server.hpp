// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SERVE_HTTP_SERVER_HPP
#define CLOSESIDE_BENCHMARK_SERVE_HTTP_SERVER_HPP

#include "message.hpp"

#include <asio/buffer.hpp>
#include <asio/error_code.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/system_error.hpp>
#include <asio/write.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace benchmark_serve {

/// One connection: reads the request up to its blank line, writes the reply, and ends as `Ending` does.
/** An Ending names its `acceptor_type` and its `stream_type`, holds what it needs for each connection, and has a static
 *  `end(session)`. Nothing else differs between the servers on Asio. */
template <class Ending>
class session : public std::enable_shared_from_this<session<Ending>> {
public:
    using stream_type = typename Ending::stream_type;

    explicit session(stream_type&& s) : stream(std::move(s)), ending(stream) {}

    void read_request() {
        stream.async_read_some(asio::buffer(buffer) + received_,
                               [self = this->shared_from_this()](const asio::error_code& ec, std::size_t n) {
                                   if (!ec) self->on_request(n);
                               });
    }

    stream_type stream;
    [[no_unique_address]] Ending ending;
    std::array<char, 4096> buffer;

private:
    void on_request(std::size_t n) {
        received_ += n;
        if (std::string_view(buffer.data(), received_).find(blank_line) != std::string_view::npos) return write_reply();
        if (received_ != buffer.size()) read_request();
    }

    void write_reply() {
        asio::async_write(stream, asio::buffer(reply()),
                          [self = this->shared_from_this()](const asio::error_code& ec, std::size_t) {
                              if (!ec) Ending::end(self);
                          });
    }

    std::size_t received_ = 0;
};

/// Accepts for ever; the process is killed when it is no longer needed.
template <class Ending>
class http_server {
public:
    explicit http_server(std::uint16_t port) : acceptor_(io_, {asio::ip::address_v4::any(), port}) {}

    void run() {
        accept();
        io_.run();
    }

private:
    void accept() {
        acceptor_.async_accept([this](const asio::error_code& ec, typename Ending::stream_type stream) {
            if (ec) throw asio::system_error(ec, "accept");
            std::make_shared<session<Ending>>(std::move(stream))->read_request();
            accept();
        });
    }

    asio::io_context io_{1}; // one thread
    typename Ending::acceptor_type acceptor_;
};

template <class Ending>
void serve(std::uint16_t port) {
    http_server<Ending>(port).run();
}

} // namespace benchmark_serve

#endif
