// SPDX-License-Identifier: BSL-1.0
// Closes with Boost.Beast's teardown of a TCP stream.
#include "session_pool.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace benchmark_close {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// The teardown knows no limit of its own, nor does beast::tcp_stream's timeout cover it, so a timer closes the socket.
class teardown_session {
public:
    using pointer = std::shared_ptr<teardown_session>;

    teardown_session(asio::io_context& context, int fd) : socket_(context, asio::ip::tcp::v4(), fd), timer_(context) {}

    static void read_request(const pointer& self) {
        self->socket_.async_read_some(asio::buffer(&self->request_, 1),
                                      [self](const beast::error_code&, std::size_t) {});
    }

    static void close(pointer self) {
        teardown_session& s = *self;
        s.timer_.expires_after(std::chrono::seconds(5));
        s.timer_.async_wait([self](const beast::error_code& cancelled) {
            if (!cancelled) self->finish();
        });
        beast::websocket::async_teardown(beast::role_type::server, s.socket_,
                                         [self = std::move(self)](const beast::error_code&) { self->finish(); });
    }

private:
    void finish() {
        timer_.cancel();
        beast::error_code ignored;
        socket_.close(ignored);
    }

    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    char request_ = 0;
};

} // namespace benchmark_close

int main(int argc, char** argv) {
    using namespace benchmark_close;
    return run_subject(argc, argv, {{"beast", on_context<boost::asio::io_context, teardown_session>()}});
}
