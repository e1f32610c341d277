// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_ASIO_HPP
#define CLOSESIDE_DETAIL_ASIO_ASIO_HPP

// Which Asio, and all that closeside needs of it. Nothing else includes a header of either.
// The macro is for every file of a target: closeside::boost defines it.
// clang-format off
#include <closeside/detail/asio/configuration.hpp>
// clang-format on

#include <system_error>
#include <type_traits>

#if defined(CLOSESIDE_USE_BOOST_ASIO)

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_socket.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/is_executor.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/version.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#if BOOST_ASIO_VERSION < 102201
#error "closeside needs the cancellation of newer Asios: take Boost 1.79 or newer"
#endif
#define CLOSESIDE_BACKEND on_boost_asio

#else

#include <asio/any_io_executor.hpp>
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/basic_socket.hpp>
#include <asio/basic_socket_acceptor.hpp>
#include <asio/basic_stream_socket.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/compose.hpp>
#include <asio/detached.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/error_code.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/is_executor.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/recycling_allocator.hpp>
#include <asio/socket_base.hpp>
#include <asio/strand.hpp>
#include <asio/system_error.hpp>
#include <asio/thread_pool.hpp>
#include <asio/version.hpp>

#if ASIO_VERSION < 102201
#error "closeside needs the cancellation of newer Asios: take Asio 1.22.1 or newer"
#endif
#define CLOSESIDE_BACKEND on_asio

#endif

namespace closeside {

#if defined(CLOSESIDE_USE_BOOST_ASIO)
namespace asio = ::boost::asio;
using error_code = boost::system::error_code;
using system_error = boost::system::system_error;
#else
/// The Asio in use; error_code and system_error are those that it speaks.
namespace asio = ::asio;
using error_code = ::asio::error_code;
using system_error = ::asio::system_error;
#endif

/// What depends on an Asio lives in a namespace by its name, so that one program may hold both.
inline namespace CLOSESIDE_BACKEND {}
namespace detail {
inline namespace CLOSESIDE_BACKEND {
/// What programs close unless they choose an executor.
using any_tcp_socket = asio::basic_stream_socket<asio::ip::tcp, asio::any_io_executor>;
} // namespace CLOSESIDE_BACKEND
} // namespace detail

} // namespace closeside

#if defined(CLOSESIDE_USE_BOOST_ASIO)
namespace closeside {
enum class error;
}
/// make_error_code(error) gives a std::error_code, which Boost's converts from.
template <>
struct boost::system::is_error_code_enum<closeside::error> : std::true_type {};
#endif

#endif
