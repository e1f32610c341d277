// SPDX-License-Identifier: BSL-1.0
// What separate compilation compiles once: the accepts on asio::any_io_executor. See close/impl/instances.ipp.

#include <closeside/detail/listen/accept_op.hpp>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

CLOSESIDE_INSTANCE class listener_state<asio::any_io_executor>;
CLOSESIDE_INSTANCE std::shared_ptr<listener_state<asio::any_io_executor>>
make_listener_state(const asio::any_io_executor&, const close_policy&);
CLOSESIDE_INSTANCE class accept_op<asio::any_io_executor, no_executor>;
CLOSESIDE_INSTANCE class accept_op<asio::any_io_executor, asio::any_io_executor>;
CLOSESIDE_INSTANCE error_code accepted::move_to(asio::basic_socket<asio::ip::tcp, asio::any_io_executor>&);

} // namespace closeside::detail::inline CLOSESIDE_BACKEND
