// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_APPLY_POLICY_HPP
#define CLOSESIDE_DETAIL_CLOSE_APPLY_POLICY_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/kernel/tcp_socket.hpp>

namespace closeside::detail {

/// What TCP_LINGER2 is set to; 0 for the system's time.
constexpr int linger2_value(const fin_wait2& w) noexcept {
    if (w.how == fin_wait2::mode::skip) return -1;
    return w.how == fin_wait2::mode::timed ? static_cast<int>(w.time.count / 1000) : 0;
}

/// SO_LINGER, and TCP_LINGER2 if the policy states it; a positive SO_LINGER never, since it blocks close(2).
/** False with errno set if an option cannot be set, e.g. on a socket that is not TCP. */
template <class Calls = tcp_socket>
bool apply_policy(int fd, const close_policy& p) noexcept {
    return Calls::set_linger(fd, p.linger == lingering::abort) &&
           (p.linger2 == fin_wait2::system || Calls::set_linger2(fd, linger2_value(p.linger2)));
}

} // namespace closeside::detail

#endif
