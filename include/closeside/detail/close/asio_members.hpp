// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_ASIO_MEMBERS_HPP
#define CLOSESIDE_DETAIL_CLOSE_ASIO_MEMBERS_HPP

#include <closeside/detail/close/policy_socket.hpp>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What a stream has of asio::basic_stream_socket<asio::ip::tcp>: the members themselves, so that signature, meaning,
/// errors and cancellation are those of the Asio in use. What P has a word in is policy_socket's.
template <close_policy P, class Executor>
class asio_members : protected policy_socket<P, Executor> {
    using layer = policy_socket<P, Executor>;

public:
    using executor_type = Executor;
    using typename layer::endpoint_type;
    using typename layer::lowest_layer_type;
    using typename layer::native_handle_type;
    using typename layer::protocol_type;
    /// Asio's own socket.
    using typename layer::socket_type;

    using layer::get_executor;
    using layer::lowest_layer;

    using layer::assign;
    using layer::bind;
    using layer::is_open;
    using layer::open;
    using layer::release;

    using layer::async_connect;
    using layer::connect;
    using layer::local_endpoint;
    using layer::remote_endpoint;

    using layer::async_read_some;
    using layer::async_receive;
    using layer::async_send;
    using layer::async_write_some;
    using layer::read_some;
    using layer::receive;
    using layer::send;
    using layer::write_some;

    using layer::async_wait;
    using layer::at_mark;
    using layer::available;
    using layer::cancel;
    using layer::wait;

    using layer::get_option;
    using layer::io_control;
    using layer::native_handle;
    using layer::native_non_blocking;
    using layer::non_blocking;
    using layer::set_option;

    using layer::close;
    using layer::shutdown;

    // socket_base
    using layer::max_listen_connections;
    using layer::message_do_not_route;
    using layer::message_end_of_record;
    using layer::message_out_of_band;
    using layer::message_peek;
    using layer::shutdown_both;
    using layer::shutdown_receive;
    using layer::shutdown_send;
    using layer::wait_error;
    using layer::wait_read;
    using layer::wait_write;
    using typename layer::broadcast;
    using typename layer::bytes_readable;
    using typename layer::debug;
    using typename layer::do_not_route;
    using typename layer::enable_connection_aborted;
    using typename layer::keep_alive;
    using typename layer::linger;
    using typename layer::message_flags;
    using typename layer::out_of_band_inline;
    using typename layer::receive_buffer_size;
    using typename layer::receive_low_watermark;
    using typename layer::reuse_address;
    using typename layer::send_buffer_size;
    using typename layer::send_low_watermark;
    using typename layer::shutdown_type;
    using typename layer::wait_type;

protected:
    using layer::layer;
    asio_members(asio_members&&) = default;
    asio_members& operator=(asio_members&&) = default;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
