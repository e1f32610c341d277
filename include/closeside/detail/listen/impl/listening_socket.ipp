// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_IMPL_LISTENING_SOCKET_IPP
#define CLOSESIDE_DETAIL_LISTEN_IMPL_LISTENING_SOCKET_IPP

#include <closeside/detail/close/apply_policy.hpp>
#include <closeside/detail/close/waiting_closes.hpp>
#include <closeside/detail/kernel/multipath.hpp>
#include <closeside/detail/kernel/tcp_socket.hpp>
#include <closeside/detail/listen/bind_diagnosis.hpp>
#include <closeside/detail/listen/endpoint_text.hpp>
#include <closeside/detail/listen/listening_socket.hpp>
#include <closeside/detail/listen/policy_option.hpp>

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

[[noreturn]] inline void throw_errno(int error, const std::string& what) {
    throw system_error(error_code(error, asio::error::get_system_category()), what);
}

/// Those of the policy are set.
inline void set_options(int fd, std::span<const option_view> options, const asio::ip::tcp::endpoint& endpoint) {
    for (const option_view& o : options) {
        if (is_policys(o.level, o.name)) continue;
        if (tcp_socket::set_option(fd, o.level, o.name, o.data, o.size)) continue;
        const int error = errno;
        throw_errno(error, "setsockopt " + option_text(o) + " " + endpoint_text(endpoint));
    }
}

CLOSESIDE_DECL bool set_inherited_options(int fd, const close_policy& p) noexcept {
    const int reuse = p.reuse_address ? 1 : 0;
    return tcp_socket::set_option(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse) && apply_policy(fd, p);
}

CLOSESIDE_DECL std::string cure_of_options(int fd, const close_policy& p) {
    if (p.linger2 == fin_wait2::system || !tcp_socket::is_multipath(fd)) return {};
    return ": Multipath TCP (MPTCP) has no TCP_LINGER2: remove linger2 from the policy, or listen with plain TCP";
}

CLOSESIDE_DECL std::string not_bound_text(const char* call, int error, const asio::ip::tcp::endpoint& endpoint,
                                          const bind_options& ours) {
    const std::string why = why_not_bound(error, endpoint.data(), endpoint.size(), ours);
    return call + (" " + endpoint_text(endpoint)) + (why.empty() ? "" : ": " + why);
}

CLOSESIDE_DECL new_listener open_socket(const asio::ip::tcp& protocol, const close_policy& p) noexcept {
    new_listener l{
        owned_descriptor(::socket(protocol.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP))};
    const int fd = l.fd.get();
    if (fd < 0)
        l.failed = "socket";
    else if (!set_inherited_options(fd, p))
        l.failed = "setsockopt";
    if (l.failed != nullptr)
        l.error = errno;
    else
        is_tcp(fd); // notes Multipath TCP, which a preloaded library may have made of it
    return l;
}

CLOSESIDE_DECL owned_descriptor open_listener(const asio::ip::tcp::endpoint& endpoint, const close_policy& p,
                                              int backlog, std::span<const option_view> options) {
    refuse_other_values(options, p);
    new_listener listener = open_socket(endpoint.protocol(), p);
    const int fd = listener.fd.get();
    if (listener.failed != nullptr)
        throw_errno(listener.error, listener.failed + (" " + endpoint_text(endpoint)) + cure_of_options(fd, p));
    const auto fail = [&](const char* call) {
        const int error = errno;
        throw_errno(error, not_bound_text(call, error, endpoint, bind_options_of(fd)));
    };
    set_options(fd, options, endpoint);
    if (::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) fail("bind");
    // EADDRINUSE here: another socket, bound with SO_REUSEADDR too, has begun to listen since.
    if (::listen(fd, backlog) != 0) fail("listen");
    return std::move(listener.fd);
}

CLOSESIDE_DECL asio::ip::tcp::endpoint set_options_of_listener(int fd, const close_policy& p) {
    const auto fail = [&](int error, const char* what) {
        throw_errno(error, "adopt descriptor " + std::to_string(fd) + ": " + what);
    };
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) fail(errno, "not open");
    switch (tcp_socket::state(fd)) {
    case tcp_state::listen: break;
    case tcp_state::unknown: fail(errno, "not a TCP socket"); break;
    case tcp_state::close: fail(EINVAL, "a TCP socket on which nobody has called listen(2)"); break;
    default: fail(EINVAL, "a TCP connection, not a listening socket"); break;
    }
    if (!set_inherited_options(fd, p)) {
        const int error = errno;
        fail(error, ("setsockopt" + cure_of_options(fd, p)).c_str());
    }
    is_tcp(fd);
    if (::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) fail(errno, "fcntl");
    asio::ip::tcp::endpoint local;
    socklen_t size = static_cast<socklen_t>(local.capacity());
    if (::getsockname(fd, local.data(), &size) != 0) fail(errno, "getsockname");
    local.resize(size);
    return local;
}

CLOSESIDE_DECL int set_options_of_future_listener(int fd, const close_policy& p) noexcept {
    const tcp_state state = tcp_socket::state(fd);
    if (state == tcp_state::unknown) return errno;
    if (state != tcp_state::listen && state != tcp_state::close) return EINVAL;
    if (!set_inherited_options(fd, p)) return errno;
    is_tcp(fd);
    return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : errno;
}

CLOSESIDE_DECL std::uint32_t accept_queue_length(int fd) noexcept {
    ::tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
    return info.tcpi_unacked; // of a listener: sk_ack_backlog (tcp_get_info)
}

CLOSESIDE_DECL accept_failure classify_accept(int error) noexcept {
    switch (error) {
    case EAGAIN: return accept_failure::none_waiting;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return accept_failure::out_of_resources;
    // accept(2): Linux passes pending network errors of the new socket on; "treat them like EAGAIN by retrying".
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ENOSR:
    case ESOCKTNOSUPPORT:
    case EPROTONOSUPPORT:
    case ETIMEDOUT: return accept_failure::vanished;
    default: return accept_failure::fatal;
    }
}

CLOSESIDE_DECL bool makes_room(int error) noexcept {
    return (error == EMFILE || error == ENFILE) && waiting_closes::shed_oldest(waiting_closes::most_shed) != 0;
}

CLOSESIDE_DECL int accept_once(int listener, asio::ip::tcp::endpoint* peer) noexcept {
    constexpr int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    if (peer == nullptr) return ::accept4(listener, nullptr, nullptr, flags);
    asio::ip::tcp::endpoint from;
    socklen_t size = static_cast<socklen_t>(from.capacity());
    const int fd = ::accept4(listener, from.data(), &size, flags);
    if (fd < 0) return fd;
    from.resize(size);
    *peer = from;
    return fd;
}

CLOSESIDE_DECL int accept_blocking(int listener, error_code& ec, asio::ip::tcp::endpoint* peer,
                                   accept_manner manner) noexcept {
    ec.clear();
    for (int vanished = 0; vanished < most_vanished;) {
        const int fd = accept_once(listener, peer);
        if (fd >= 0) return fd;
        const int error = errno;
        const accept_failure failure = classify_accept(error);
        const bool is_gone = failure == accept_failure::vanished && !(manner.tells_aborted && is_aborted(error));
        if (is_gone || makes_room(error)) {
            ++vanished;
            continue;
        }
        errno = error;
        ::pollfd poll{listener, POLLIN, 0};
        if (failure != accept_failure::none_waiting || !manner.waits || (::poll(&poll, 1, -1) < 0 && errno != EINTR))
            break;
        vanished = 0;
    }
    ec.assign(errno, asio::error::get_system_category());
    return -1;
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
