// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_LISTENING_SOCKET_HPP
#define CLOSESIDE_DETAIL_LISTEN_LISTENING_SOCKET_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/apply_policy.hpp>
#include <closeside/detail/kernel/multipath.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/tcp_socket.hpp>
#include <closeside/detail/listen/bind_diagnosis.hpp>
#include <closeside/detail/listen/bind_options.hpp>
#include <closeside/detail/listen/endpoint_text.hpp>
#include <closeside/detail/listen/option_view.hpp>
#include <closeside/detail/listen/policy_option.hpp>

#include <cerrno>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

[[noreturn]] inline void throw_errno(int error, const std::string& what) {
    throw system_error(error_code(error, asio::error::get_system_category()), what);
}

/// What accepted sockets inherit and restart needs. False with errno set.
/** SO_REUSEADDR too: the TIME-WAIT of an accepted socket without it keeps the next listener off the port. */
inline bool set_inherited_options(int fd, const close_policy& p) noexcept {
    const int reuse = p.reuse_address ? 1 : 0;
    return tcp_socket::set_option(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse) && apply_policy(fd, p);
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

/// Why set_inherited_options has failed, if that is known.
inline std::string cure_of_options(int fd, const close_policy& p) {
    if (p.linger2 == fin_wait2::system || !tcp_socket::is_multipath(fd)) return {};
    return ": Multipath TCP (MPTCP) has no TCP_LINGER2: remove linger2 from the policy, or listen with plain TCP";
}

/// What an exception says of a bind(2) or listen(2) that failed; the options are those of `fd`.
inline std::string not_bound_text(const char* call, int error, const asio::ip::tcp::endpoint& endpoint,
                                  const bind_options& ours) {
    const std::string why = why_not_bound(error, endpoint.data(), endpoint.size(), ours);
    return call + (" " + endpoint_text(endpoint)) + (why.empty() ? "" : ": " + why);
}

/// A socket that can become a listener, with the policy's options, or the call that failed and its errno.
struct new_listener {
    owned_descriptor fd; ///< open if it was setsockopt that failed
    const char* failed = nullptr;
    int error = 0;
};

inline new_listener open_socket(const asio::ip::tcp& protocol, const close_policy& p) noexcept {
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

/// `options` are set after the policy's, which none of them may contradict.
inline owned_descriptor open_listener(const asio::ip::tcp::endpoint& endpoint, const close_policy& p, int backlog,
                                      std::span<const option_view> options = {}) {
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

/// Checks that `fd` is a listening TCP socket and gives it the flags and options of our own; returns its address.
inline asio::ip::tcp::endpoint set_options_of_listener(int fd, const close_policy& p) {
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

/// Gives a TCP socket that listens, or may yet, the flags and options of our own; 0 or errno.
inline int set_options_of_future_listener(int fd, const close_policy& p) noexcept {
    const tcp_state state = tcp_socket::state(fd);
    if (state == tcp_state::unknown) return errno;
    if (state != tcp_state::listen && state != tcp_state::close) return EINVAL;
    if (!set_inherited_options(fd, p)) return errno;
    is_tcp(fd);
    return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : errno;
}

/// Connections that wait to be accepted; they have inherited their options already.
inline std::uint32_t accept_queue_length(int fd) noexcept {
    ::tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
    return info.tcpi_unacked; // of a listener: sk_ack_backlog (tcp_get_info)
}

/// What a failed accept4 calls for.
enum class accept_failure { none_waiting, vanished, out_of_resources, fatal };

inline accept_failure classify_accept(int error) noexcept {
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

/// So many in a row are no coincidence: accept4 may refuse for good, e.g. EPERM from a security module, and leave the
/// connection where it is.
inline constexpr int most_vanished = 16;

/// `peer`, if it is given, gets the address, which the kernel has even if the connection is dead by now.
inline int accept_once(int listener, asio::ip::tcp::endpoint* peer = nullptr) noexcept {
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

/// How a blocking accept goes about it.
struct accept_manner {
    bool waits = true;          ///< until there is a connection
    bool tells_aborted = false; ///< of connections that are gone by the time they would be accepted
};

/// Do Asio's acceptors with enable_connection_aborted pass it on?
inline bool is_aborted(int error) noexcept { return error == ECONNABORTED || error == EPROTO; }

/// -1 with the reason in `ec`.
inline int accept_blocking(int listener, error_code& ec, asio::ip::tcp::endpoint* peer = nullptr,
                           accept_manner manner = {}) noexcept {
    ec.clear();
    for (int vanished = 0; vanished < most_vanished;) {
        const int fd = accept_once(listener, peer);
        if (fd >= 0) return fd;
        const accept_failure failure = classify_accept(errno);
        if (failure == accept_failure::vanished && !(manner.tells_aborted && is_aborted(errno))) {
            ++vanished;
            continue;
        }
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
