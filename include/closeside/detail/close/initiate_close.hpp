// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_INITIATE_CLOSE_HPP
#define CLOSESIDE_DETAIL_CLOSE_INITIATE_CLOSE_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/can_initiate.hpp>
#include <closeside/detail/close/start_close.hpp>
#include <closeside/last_bytes.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What a stream's type sets on its socket.
struct type_options {
    constexpr explicit type_options(const close_policy& p) noexcept
        : aborts(p.linger == lingering::abort), linger2(p.linger2) {}

    bool aborts; ///< SO_LINGER{1,0} is on, so that close(2) alone resets
    fin_wait2 linger2;
};

/// Notes beside the descriptor whether the type's options are on it: what Asio has filled comes without.
/** The mark is an option that Asio keeps for itself, without a system call, that means nothing to a connection, and that
 *  goes where the descriptor goes. */
template <class Socket>
void mark_options(Socket& socket, bool set) noexcept;

template <class Socket>
bool has_options(const Socket& socket) noexcept;

/// Of a socket that is given away: nothing of ours is noted beside its descriptor any more.
template <class Socket>
void forget_marks(Socket& socket) noexcept;

/// Under another policy than the type's the options are set if they differ; where Asio has filled the socket, too.
template <class Socket>
close_manner switch_options(Socket& socket, const type_options& set, const close_policy& p) noexcept;

/// Gives a connection or a socket of the program's the policy's options; 0 or errno.
template <class Socket>
int set_policy_options(Socket& socket, const close_policy& p) noexcept;

/// The socket, with the policy's options. @throws system_error if they cannot be set.
template <class Socket>
Socket&& with_options(Socket& socket, const close_policy& p);

/// Begins the close of a stream's socket, when the completion token says.
template <class Socket>
class initiate_close {
public:
    using executor_type = typename Socket::executor_type;

    initiate_close(Socket& socket, const type_options& set) noexcept : socket_(&socket), set_(set) {}
    executor_type get_executor() const noexcept { return socket_->get_executor(); }

    template <class Handler>
    void operator()(Handler&& handler, const close_policy& p) const {
        std::decay_t<Handler> h(std::forward<Handler>(handler));
        if (!socket_->is_open())
            return post_close_result(get_executor(), std::move(h), asio::error::bad_descriptor, close_report{});
        const close_manner manner = switch_options(*socket_, set_, p);
        start_close(std::move(*socket_), p, std::move(h), manner);
    }

    template <class Handler>
    void operator()(Handler&& handler, const close_policy& p, last_bytes&& last) const {
        std::decay_t<Handler> h(std::forward<Handler>(handler));
        const error_code refusal = !socket_->is_open()  ? asio::error::bad_descriptor
                                   : last.is_too_long() ? error_code(asio::error::message_size)
                                                        : error_code();
        if (refusal) return post_close_result(get_executor(), std::move(h), refusal, close_report{});
        close_manner manner = switch_options(*socket_, set_, p);
        manner.last_bytes = static_cast<std::uint32_t>(last.size());
        start_close(std::move(*socket_), p, std::move(h), manner, last.release());
    }

private:
    Socket* socket_;
    type_options set_;
};

/// `last`: the last_bytes, if there are any.
template <class Socket, class Token, class... Last>
auto close_by(Socket& socket, const type_options& set, const close_policy& p, Token&& token, Last&&... last) {
    const initiate_close<Socket> initiate(socket, set);
    if constexpr (wants_report<Token>) {
        using signature = void(error_code, close_report);
        constexpr bool takes_report = can_initiate<Token, signature, decltype(initiate), decltype(p), Last...>;
        static_assert(takes_report, CLOSESIDE_TAKES_REPORT);
        if constexpr (takes_report)
            return asio::async_initiate<Token, signature>(initiate, token, p, std::move(last)...);
    } else {
        if (socket.is_open()) initiate(wants_no_report{}, p, std::move(last)...);
    }
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/initiate_close.hpp>

#endif
