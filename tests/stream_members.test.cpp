// SPDX-License-Identifier: BSL-1.0
#include <closeside/stream.hpp>

#include <asio/buffer.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <type_traits>
#include <utility>

// Each member of asio::ip::tcp::socket, called the same way on a stream: the same result. asio_members/ has the list that
// is complete.
namespace {

using asio::ip::tcp;
constexpr closeside::close_policy some_policy{.linger2 = std::chrono::seconds(10)};
using stream = closeside::stream<some_policy>;
using narrow_socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using narrow_stream = closeside::basic_stream<some_policy, asio::io_context::executor_type>;

/// What a caller has at hand.
struct arguments {
    closeside::error_code& ec;
    const tcp::endpoint& endpoint;
    asio::mutable_buffer in;
    asio::const_buffer out;
    int fd;
    asio::io_context& io;
    const asio::any_io_executor& executor;
};

template <class Call>
inline constexpr bool is_same = std::is_same_v<std::invoke_result_t<Call, tcp::socket&, arguments&>,
                                               std::invoke_result_t<Call, stream&, arguments&>>;

template <class Call>
inline constexpr bool is_same_of_const = std::is_same_v<std::invoke_result_t<Call, const tcp::socket&, arguments&>,
                                                        std::invoke_result_t<Call, const stream&, arguments&>>;

} // namespace

#define CALL(...)                                                                                                      \
    decltype(                                                                                                          \
        []([[maybe_unused]] auto& s, [[maybe_unused]] arguments& a) -> decltype(__VA_ARGS__) { return __VA_ARGS__; })
#define SAME(...) static_assert(is_same<CALL(__VA_ARGS__)>)
#define SAME_OF_CONST(...) static_assert(is_same_of_const<CALL(__VA_ARGS__)> && is_same<CALL(__VA_ARGS__)>)
#define SAME_TYPE(NAME) static_assert(std::is_same_v<tcp::socket::NAME, stream::NAME>)
#define SAME_VALUE(NAME) static_assert(tcp::socket::NAME == stream::NAME)
// With a handler, and with the tokens whose results differ.
#define SAME_ASYNC(CALLED, ...)                                                                                        \
    SAME(s.CALLED(__VA_ARGS__, [](auto&&...) {}));                                                                     \
    SAME(s.CALLED(__VA_ARGS__, asio::detached));                                                                       \
    SAME(s.CALLED(__VA_ARGS__, asio::use_future));                                                                     \
    SAME(s.CALLED(__VA_ARGS__, asio::use_awaitable))

SAME_TYPE(executor_type);
SAME_TYPE(protocol_type);
SAME_TYPE(endpoint_type);
SAME_TYPE(native_handle_type);
static_assert(std::is_same_v<stream::rebind_executor<asio::io_context::executor_type>::other, narrow_stream>);

SAME(s.get_executor());
SAME(s.native_handle());
SAME_OF_CONST(s.is_open());
SAME(s.open(tcp::v4()));
SAME(s.open(tcp::v4(), a.ec));
SAME(s.assign(tcp::v4(), a.fd));
SAME(s.assign(tcp::v4(), a.fd, a.ec));
SAME(s.release());
SAME(s.release(a.ec));
SAME(s.close());
SAME(s.close(a.ec));
SAME(s.cancel());
SAME(s.cancel(a.ec));
SAME(s.shutdown(tcp::socket::shutdown_both));
SAME(s.shutdown(tcp::socket::shutdown_both, a.ec));
SAME(s.bind(a.endpoint));
SAME(s.bind(a.endpoint, a.ec));
SAME(s.connect(a.endpoint));
SAME(s.connect(a.endpoint, a.ec));
SAME_ASYNC(async_connect, a.endpoint);
SAME_OF_CONST(s.local_endpoint());
SAME_OF_CONST(s.local_endpoint(a.ec));
SAME_OF_CONST(s.remote_endpoint());
SAME_OF_CONST(s.remote_endpoint(a.ec));

SAME_OF_CONST(s.at_mark());
SAME_OF_CONST(s.at_mark(a.ec));
SAME_OF_CONST(s.available());
SAME_OF_CONST(s.available(a.ec));
SAME(s.wait(tcp::socket::wait_read));
SAME(s.wait(tcp::socket::wait_read, a.ec));
SAME_ASYNC(async_wait, tcp::socket::wait_error);

SAME_OF_CONST(s.non_blocking());
SAME(s.non_blocking(true));
SAME(s.non_blocking(true, a.ec));
SAME_OF_CONST(s.native_non_blocking());
SAME(s.native_non_blocking(true));
SAME(s.native_non_blocking(true, a.ec));
SAME(s.set_option(tcp::no_delay(true)));
SAME(s.set_option(tcp::no_delay(true), a.ec));
SAME_OF_CONST(s.get_option(std::declval<tcp::no_delay&>()));
SAME_OF_CONST(s.get_option(std::declval<tcp::no_delay&>(), a.ec));
SAME(s.io_control(std::declval<tcp::socket::bytes_readable&>()));
SAME(s.io_control(std::declval<tcp::socket::bytes_readable&>(), a.ec));

SAME(s.send(a.out));
SAME(s.send(a.out, tcp::socket::message_out_of_band));
SAME(s.send(a.out, 0, a.ec));
SAME_ASYNC(async_send, a.out);
SAME_ASYNC(async_send, a.out, tcp::socket::message_end_of_record);
SAME(s.write_some(a.out));
SAME(s.write_some(a.out, a.ec));
SAME_ASYNC(async_write_some, a.out);
SAME(s.receive(a.in));
SAME(s.receive(a.in, tcp::socket::message_peek));
SAME(s.receive(a.in, 0, a.ec));
SAME_ASYNC(async_receive, a.in);
SAME_ASYNC(async_receive, a.in, tcp::socket::message_peek);
SAME(s.read_some(a.in));
SAME(s.read_some(a.in, a.ec));
SAME_ASYNC(async_read_some, a.in);

SAME_TYPE(broadcast);
SAME_TYPE(bytes_readable);
SAME_TYPE(debug);
SAME_TYPE(do_not_route);
SAME_TYPE(enable_connection_aborted);
SAME_TYPE(keep_alive);
SAME_TYPE(linger);
SAME_TYPE(message_flags);
SAME_TYPE(out_of_band_inline);
SAME_TYPE(receive_buffer_size);
SAME_TYPE(receive_low_watermark);
SAME_TYPE(reuse_address);
SAME_TYPE(send_buffer_size);
SAME_TYPE(send_low_watermark);
SAME_TYPE(shutdown_type);
SAME_TYPE(wait_type);
SAME_VALUE(max_listen_connections);
SAME_VALUE(message_do_not_route);
SAME_VALUE(message_end_of_record);
SAME_VALUE(message_out_of_band);
SAME_VALUE(message_peek);
SAME_VALUE(shutdown_both);
SAME_VALUE(shutdown_receive);
SAME_VALUE(shutdown_send);
SAME_VALUE(wait_error);
SAME_VALUE(wait_read);
SAME_VALUE(wait_write);

// Constructors and assignments.
template <class Socket, class Narrow>
constexpr bool is_made_as_asios =
    std::is_constructible_v<Socket, asio::io_context&>&& std::is_constructible_v<Socket, asio::any_io_executor>&&
        std::is_constructible_v<Socket, asio::io_context&, tcp>&& std::is_constructible_v<
            Socket, asio::any_io_executor, tcp>&& std::is_constructible_v<Socket, asio::io_context&, tcp::endpoint>&&
            std::is_constructible_v<Socket, asio::any_io_executor, tcp::endpoint>&&
                std::is_constructible_v<Socket, asio::io_context&, tcp, int>&&
                    std::is_constructible_v<Socket, asio::any_io_executor, tcp, int>&&
                        std::is_convertible_v<Narrow, Socket>&& std::is_assignable_v<Socket&, Narrow>&&
                            std::is_nothrow_move_constructible_v<Socket>&& std::is_move_assignable_v<Socket> &&
    !std::is_copy_constructible_v<Socket> && !std::is_copy_assignable_v<Socket> &&
    !std::is_convertible_v<asio::io_context&, Socket> && !std::is_convertible_v<asio::any_io_executor, Socket>;
static_assert(is_made_as_asios<tcp::socket, narrow_socket>);
static_assert(is_made_as_asios<stream, narrow_stream>);

TEST_CASE("a stream's synchronous reads and writes are its socket's") {
    asio::io_context io;
    tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
    stream client(io);
    client.connect(listener.local_endpoint());
    tcp::socket peer = listener.accept();
    char bytes[4] = {'a', 'b', 'c', 'd'};
    CHECK(client.send(asio::buffer(bytes), 0) == 4);
    CHECK(peer.receive(asio::buffer(bytes)) == 4);
    peer.send(asio::buffer(bytes));
    client.wait(stream::wait_read);
    CHECK(client.available() == 4);
    stream::bytes_readable readable;
    client.io_control(readable);
    CHECK(readable.get() == 4);
    CHECK_FALSE(client.at_mark());
    CHECK(client.receive(asio::buffer(bytes), stream::message_peek) == 4);
    CHECK(client.receive(asio::buffer(bytes)) == 4);
    client.non_blocking(true);
    closeside::error_code ec;
    CHECK(client.receive(asio::buffer(bytes), 0, ec) == 0);
    CHECK(ec == asio::error::would_block);
}
