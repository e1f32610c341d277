// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_CAN_INITIATE_HPP
#define CLOSESIDE_DETAIL_ASIO_CAN_INITIATE_HPP

#include <closeside/detail/asio/asio.hpp>

#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Does asio::async_initiate take the token for an operation that completes with this signature?
/** Asked of the very call that follows, so that a handler of another signature is told what it should take, in place of
 *  Asio's list of overloads with every type in full. */
template <class Token, class Signature, class Initiation, class... Arguments>
concept can_initiate = requires(Token& token) {
    asio::async_initiate<Token, Signature>(std::declval<Initiation>(), token, std::declval<Arguments>()...);
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

// static_assert takes a literal only.
#define CLOSESIDE_TAKES_REPORT                                                                                         \
    "async_close completes with (error_code, close_report): write the handler as [](closeside::error_code ec, "        \
    "closeside::close_report report) {}"

#define CLOSESIDE_TAKES_TLS_REPORT                                                                                     \
    "async_close of a TLS stream completes with (error_code, tls_close_report): write the handler as "                 \
    "[](closeside::error_code ec, closeside::tls_close_report report) {}"

#endif
