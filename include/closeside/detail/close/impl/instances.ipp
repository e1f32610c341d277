// SPDX-License-Identifier: BSL-1.0
// What separate compilation compiles once: the closes on asio::any_io_executor. CLOSESIDE_INSTANCE is `template`, or
// `extern template`. No include guard: closeside/src.hpp includes this twice.

#include <closeside/detail/close/blocking_close.hpp>
#include <closeside/detail/close/initiate_close.hpp>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

CLOSESIDE_INSTANCE class handler_step<asio::any_io_executor>;
CLOSESIDE_INSTANCE class closing_socket<any_tcp_socket>;
CLOSESIDE_INSTANCE class close_op<any_tcp_socket>;
CLOSESIDE_INSTANCE void close_op<any_tcp_socket>::start(std::shared_ptr<close_op>, close_action,
                                                        asio::cancellation_slot);
CLOSESIDE_INSTANCE closing_socket<any_tcp_socket>
begin_close(any_tcp_socket&&, const close_policy&, const close_manner&, close_action&, last_bytes_memory) noexcept;
CLOSESIDE_INSTANCE void start_unattended_close(any_tcp_socket&&, const close_policy&, close_manner, last_bytes_memory);
CLOSESIDE_INSTANCE bool is_inherited_by_fork(any_tcp_socket&) noexcept;
CLOSESIDE_INSTANCE void disown(any_tcp_socket&) noexcept;
CLOSESIDE_INSTANCE void release_now(any_tcp_socket&, bool) noexcept;
CLOSESIDE_INSTANCE void drop(any_tcp_socket&&, const close_policy&, close_manner, last_bytes_memory) noexcept;
CLOSESIDE_INSTANCE void mark_options(any_tcp_socket&, bool) noexcept;
CLOSESIDE_INSTANCE bool has_options(const any_tcp_socket&) noexcept;
CLOSESIDE_INSTANCE close_manner switch_options(any_tcp_socket&, const type_options&, const close_policy&) noexcept;
CLOSESIDE_INSTANCE int set_policy_options(any_tcp_socket&, const close_policy&) noexcept;
CLOSESIDE_INSTANCE any_tcp_socket&& with_options(any_tcp_socket&, const close_policy&);
CLOSESIDE_INSTANCE close_report close_blocking(any_tcp_socket&&, const close_policy&, const close_manner&, error_code&,
                                               last_bytes_memory) noexcept;

} // namespace closeside::detail::inline CLOSESIDE_BACKEND
