// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_INITIATE_CLOSE_HPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_INITIATE_CLOSE_HPP

#include <closeside/detail/close/apply_policy.hpp>
#include <closeside/detail/close/initiate_close.hpp>
#include <closeside/detail/close/told_to_go.hpp>
#include <closeside/detail/kernel/multipath.hpp>

#include <cerrno>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

template <class Socket>
void mark_options(Socket& socket, bool set) noexcept {
    error_code closed;
    socket.set_option(asio::socket_base::enable_connection_aborted(set), closed);
}

template <class Socket>
bool has_options(const Socket& socket) noexcept {
    asio::socket_base::enable_connection_aborted mark;
    error_code closed;
    socket.get_option(mark, closed);
    return !closed && mark.value();
}

template <class Socket>
void forget_marks(Socket& socket) noexcept {
    if (!socket.is_open()) return;
    mark_options(socket, false);
    told_to_go::forget(socket.native_handle());
}

template <class Socket>
close_manner switch_options(Socket& socket, const type_options& set, const close_policy& p) noexcept {
    const int fd = socket.native_handle();
    const bool aborts = p.linger == lingering::abort;
    if (!has_options(socket)) {
        if (aborts) return {};
        tcp_socket::set_linger(fd, false);
        return {.linger2 = linger2_value(p.linger2)};
    }
    close_manner manner{.linger_is_set = set.aborts && aborts};
    if (set.aborts && !aborts) tcp_socket::set_linger(fd, false);
    if (!aborts && p.linger2 != set.linger2 && !tcp_socket::set_linger2(fd, linger2_value(p.linger2)))
        manner.option_error = errno;
    return manner;
}

template <class Socket>
int set_policy_options(Socket& socket, const close_policy& p) noexcept {
    const int fd = socket.native_handle();
    const int error = !is_tcp(fd) ? EOPNOTSUPP : apply_policy(fd, p) ? 0 : errno;
    if (error == 0) mark_options(socket, true);
    return error;
}

template <class Socket>
Socket&& with_options(Socket& socket, const close_policy& p) {
    if (!socket.is_open()) return std::move(socket);
    const int error = set_policy_options(socket, p);
    if (error == 0) return std::move(socket);
    throw system_error(error_code(error, asio::error::get_system_category()),
                       tcp_socket::is_multipath(socket.native_handle())
                           ? "closeside: Multipath TCP (MPTCP) has no TCP_LINGER2: remove linger2 from the policy"
                           : "closeside: SO_LINGER and TCP_LINGER2");
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
