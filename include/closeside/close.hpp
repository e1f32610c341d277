// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CLOSE_HPP
#define CLOSESIDE_CLOSE_HPP

#include <closeside/detail/asio/configuration.hpp>

#include <closeside/detail/asio/can_initiate.hpp>
#include <closeside/detail/close/apply_policy.hpp>
#include <closeside/detail/close/drop.hpp>
#include <closeside/detail/close/start_close.hpp>
#include <closeside/policy.hpp>
#include <closeside/report.hpp>

#include <cerrno>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Gives a connection that comes from elsewhere the policy's options; 0, or the errno if that cannot be.
/** An abort does without SO_LINGER. */
inline int prepare(int fd, const close_policy& p) noexcept {
    if (!is_tcp(fd)) return EOPNOTSUPP;
    return p.linger == lingering::abort || apply_policy(fd, p) ? 0 : errno;
}

/// A plain socket on its way into a close. Dropped before that, it ends by the policy all the same.
template <class Socket>
class socket_under_policy {
public:
    socket_under_policy(Socket&& socket, const close_policy& policy) noexcept
        : socket_(std::move(socket)), policy_(policy) {}
    socket_under_policy(socket_under_policy&&) = default;
    socket_under_policy& operator=(socket_under_policy&&) = delete;
    ~socket_under_policy() {
        if (!socket_.is_open()) return;
        if (!is_inherited(socket_)) prepare(socket_.native_handle(), policy_);
        drop(std::move(socket_), policy_, {});
    }

    template <class Handler>
    void close(Handler&& handler) {
        const auto executor = socket_.get_executor();
        error_code ec = asio::error::bad_descriptor;
        if (socket_.is_open()) ec.assign(prepare(socket_.native_handle(), policy_), asio::error::get_system_category());
        if (!ec) return start_close(std::move(socket_), policy_, std::move(handler));
        if (socket_.is_open()) release_now(socket_, false);
        post_completion(executor, std::move(handler), ec, close_report{});
    }

private:
    Socket socket_;
    close_policy policy_;
};

template <class Executor>
class initiate_close_of_plain_socket {
public:
    using executor_type = Executor;
    explicit initiate_close_of_plain_socket(const Executor& executor) : executor_(executor) {}
    executor_type get_executor() const noexcept { return executor_; }

    template <class Handler, class Socket>
    void operator()(Handler&& handler, socket_under_policy<Socket> socket) const {
        socket.close(std::decay_t<Handler>(std::forward<Handler>(handler)));
    }

private:
    Executor executor_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

namespace closeside::inline CLOSESIDE_BACKEND {

/// Closes a plain Asio socket as stream<P>::async_close would, with a policy that is known at run time only.
/** SO_LINGER is switched off first, and TCP_LINGER2 set if the policy states it; the rest, from segments to error
 *  codes, is basic_stream::async_close. Works for every stream socket that is TCP underneath,
 *  asio::generic::stream_protocol and Multipath TCP among them. On another the completion carries
 *  asio::error::operation_not_supported, on Multipath TCP under a policy that states linger2 the error of setsockopt(2);
 *  the descriptor is released in either case.
 *
 *  @param socket  Taken over when the operation starts. If a lazy operation (use_awaitable, deferred) is dropped
 *                 before that, the socket ends as the policy's on_destroy says.
 *  @throws std::invalid_argument for a policy that contradicts itself, with the sentence that the compiler would have
 *          printed; `socket` is then untouched.
 *
 *  @par Completion signature  void(error_code, closeside::close_report)
 *  @par Thread safety, cancellation, object lifetime  As basic_stream::async_close. */
template <class Protocol, class Executor, class Token = typename asio::default_completion_token<Executor>::type>
auto async_close(asio::basic_stream_socket<Protocol, Executor>&& socket, const close_policy& policy,
                 Token&& token = {}) {
    if (const char* sentence = contradiction(policy)) throw std::invalid_argument(sentence);
    using socket_type = asio::basic_stream_socket<Protocol, Executor>;
    const detail::initiate_close_of_plain_socket<Executor> initiate(socket.get_executor());
    detail::socket_under_policy<socket_type> under_policy(std::move(socket), policy);
    if constexpr (detail::wants_report<Token>) {
        using signature = void(error_code, close_report);
        constexpr bool takes_report =
            detail::can_initiate<Token, signature, decltype(initiate), decltype(std::move(under_policy))>;
        static_assert(takes_report, CLOSESIDE_TAKES_REPORT);
        if constexpr (takes_report)
            return asio::async_initiate<Token, signature>(initiate, token, std::move(under_policy));
    } else {
        under_policy.close(detail::wants_no_report{});
    }
}

} // namespace closeside::inline CLOSESIDE_BACKEND

#endif
