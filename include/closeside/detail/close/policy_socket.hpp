// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_POLICY_SOCKET_HPP
#define CLOSESIDE_DETAIL_CLOSE_POLICY_SOCKET_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/can_initiate.hpp>
#include <closeside/detail/asio/completion.hpp>
#include <closeside/detail/asio/sync_result.hpp>
#include <closeside/detail/close/drop.hpp>
#include <closeside/detail/close/initiate_close.hpp>
#include <closeside/detail/close/policy_option.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Asio's socket, with functions in the place of those that would end its connection or set its options otherwise than P.
/** As large as Asio's, which it is to functions that take one; through a reference to the base the policy is bypassed.
 *  Only a stream makes or moves one. */
template <close_policy P, class Executor>
class policy_socket : public asio::basic_stream_socket<asio::ip::tcp, Executor> {
public:
    using socket_type = asio::basic_stream_socket<asio::ip::tcp, Executor>;
    using lowest_layer_type = policy_socket;
    using typename socket_type::endpoint_type;
    using typename socket_type::native_handle_type;
    using typename socket_type::protocol_type;
    using typename socket_type::shutdown_type;

    policy_socket(const policy_socket&) = delete;
    policy_socket& operator=(const policy_socket&) = delete;

    lowest_layer_type& lowest_layer() noexcept { return *this; }             ///< this: what functions of Asio take
    const lowest_layer_type& lowest_layer() const noexcept { return *this; } ///< the same

    /// What the stream's destructor does; the socket is closed and may be used anew.
    /** Never blocks, and never fails for what the peer did. A close in the background is work of its context: run() and
     *  join() return when it is over. In a forked child whose parent's connection it is, it is disowned, as by the
     *  destructor. On a closed socket: nothing. */
    void close() noexcept { drop(); }
    sync_result close(error_code& ec) noexcept {
        ec.clear();
        drop();
        return to_sync_result(ec);
    }

    /// shutdown_send: shutdown(SHUT_WR), our FIN behind what is queued; a later close and its report know of it.
    /** shutdown_both: the same, and outstanding operations complete with operation_aborted. SHUT_RD does not reach the
     *  kernel, which after our FIN would answer the peer's data with RST; later reads see what the peer sends until its
     *  FIN. shutdown_receive: shutdown(SHUT_RD), as with Asio: a read that would have to wait finds end of file, and what
     *  the peer sends after our FIN draws RST.
     *
     *  @throws system_error for what `ec` gets: asio::error::not_connected, asio::error::bad_descriptor. */
    void shutdown(shutdown_type what) {
        or_throw("shutdown", [&](error_code& ec) { shutdown(what, ec); });
    }
    sync_result shutdown(shutdown_type what, error_code& ec) {
        const bool both = what == socket_type::shutdown_both;
        socket_type::shutdown(both ? socket_type::shutdown_send : what, ec);
        error_code ignored;
        if (both && !ec) socket_type::cancel(ignored);
        return to_sync_result(ec);
    }

    /// As Asio's, but for SO_LINGER, SO_REUSEADDR and TCP_LINGER2: their value must be the policy's, and nothing is done.
    /** @throws system_error for what `ec` gets; asio::error::invalid_argument for another value of these, with a
     *  sentence that names the member of the policy to set. */
    template <class Option>
    void set_option(const Option& option) {
        const char* objection = nullptr;
        error_code ec;
        set(option, objection, ec);
        if (ec) throw system_error(ec, objection != nullptr ? objection : "set_option");
    }
    template <class Option>
    sync_result set_option(const Option& option, error_code& ec) {
        const char* objection = nullptr;
        set(option, objection, ec);
        return to_sync_result(ec);
    }

    /// As Asio's, and SO_LINGER is set, and TCP_LINGER2 if the policy states it.
    /** @throws system_error for what `ec` gets; the socket is closed again if an option cannot be set. */
    void open(const protocol_type& protocol) {
        or_throw("open", [&](error_code& ec) { open(protocol, ec); });
    }
    sync_result open(const protocol_type& protocol, error_code& ec) {
        socket_type::open(protocol, ec);
        if (!ec && !put_options_right(ec)) {
            error_code ignored;
            socket_type::close(ignored);
        }
        return to_sync_result(ec);
    }

    /// As Asio's, and the options are set as by open.
    /** @throws system_error for what `ec` gets; asio::error::operation_not_supported for a descriptor that is not TCP.
     *  After an error the descriptor is still the caller's. */
    void assign(const protocol_type& protocol, const native_handle_type& descriptor) {
        or_throw("assign", [&](error_code& ec) { assign(protocol, descriptor, ec); });
    }
    sync_result assign(const protocol_type& protocol, const native_handle_type& descriptor, error_code& ec) {
        socket_type::assign(protocol, descriptor, ec);
        if (!ec && !put_options_right(ec)) {
            error_code ignored;
            socket_type::release(ignored);
        }
        return to_sync_result(ec);
    }

    /// As Asio's, with SO_REUSEADDR as the policy states it.
    /** @throws system_error for what `ec` gets. */
    void bind(const endpoint_type& endpoint) {
        or_throw("bind", [&](error_code& ec) { bind(endpoint, ec); });
    }
    sync_result bind(const endpoint_type& endpoint, error_code& ec) {
        ec.clear();
        if (this->is_open()) socket_type::set_option(asio::socket_base::reuse_address(policy_.reuse_address), ec);
        if (!ec) socket_type::bind(endpoint, ec);
        return to_sync_result(ec);
    }

    /// As Asio's, which opens a closed socket; the options are then set as by open.
    /** In a process that fork(2) has made after the context, the connections of the context are this process's from here
     *  on.
     *  @throws system_error for what `ec` gets. */
    void connect(const endpoint_type& peer) {
        or_throw("connect", [&](error_code& ec) { connect(peer, ec); });
    }
    sync_result connect(const endpoint_type& peer, error_code& ec) {
        ec.clear();
        if (!this->is_open()) open(peer.protocol(), ec);
        if (!ec) {
            socket_type::connect(peer, ec);
            close_deadlines::of(this->get_executor()).take_over();
        }
        return to_sync_result(ec);
    }

    /// The same without waiting, by asio::basic_socket::async_connect.
    /** @par Completion signature  void(error_code); as Asio's, or the error of open
     *  @par Per-operation cancellation  as Asio's: terminal, partial, total */
    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_connect(const endpoint_type& peer, Token&& token = {}) {
        constexpr bool takes_error =
            can_initiate<Token, void(error_code), initiate_connect, const endpoint_type&, error_code&>;
        static_assert(takes_error, "async_connect to an endpoint completes with (error_code): write the handler as "
                                   "[](closeside::error_code ec) {}");
        error_code open_error;
        if (!this->is_open()) open(peer.protocol(), open_error);
        if (!open_error) close_deadlines::of(this->get_executor()).take_over();
        if constexpr (takes_error)
            return asio::async_initiate<Token, void(error_code)>(initiate_connect(*this), token, peer, open_error);
    }

protected:
    explicit policy_socket(const Executor& executor) : socket_type(executor) {}
    explicit policy_socket(socket_type&& socket) noexcept : socket_type(std::move(socket)) {}
    policy_socket(policy_socket&&) = default;
    policy_socket& operator=(policy_socket&&) = default;

    socket_type& asio_socket() noexcept { return *this; }
    const socket_type& asio_socket() const noexcept { return *this; }

    void drop() noexcept {
        if (!this->is_open()) return;
        const bool inherited = is_inherited(asio_socket()); // and so disowned
        const close_manner manner = inherited ? close_manner{} : switch_options(asio_socket(), options_, policy_);
        detail::drop(std::move(asio_socket()), policy_, manner);
    }

    // Constants of their own: clang 19 reads members of a template argument from the wrong place at run time.
    static constexpr close_policy policy_ = P;
    static constexpr type_options options_{P};

private:
    class initiate_connect {
    public:
        using executor_type = Executor;
        explicit initiate_connect(policy_socket& socket) noexcept : socket_(&socket) {}
        executor_type get_executor() const noexcept { return socket_->get_executor(); }

        template <class Handler>
        void operator()(Handler&& handler, const endpoint_type& peer, const error_code& open_error) const {
            if (!open_error) {
                socket_->asio_socket().async_connect(peer, std::forward<Handler>(handler));
                return;
            }
            std::decay_t<Handler> h(std::forward<Handler>(handler));
            post_completion(get_executor(), std::move(h), open_error);
        }

    private:
        policy_socket* socket_;
    };

    bool put_options_right(error_code& ec) noexcept {
        const int error = set_policy_options(asio_socket(), policy_);
        if (error != 0) ec.assign(error, asio::error::get_system_category());
        return error == 0;
    }

    template <class Option>
    void set(const Option& option, const char*& objection, error_code& ec) {
        const auto protocol = protocol_type::v4(); // the policy's options are the same for both
        const policy_option o = judge_option(policy_, option.level(protocol), option.name(protocol),
                                             option.data(protocol), option.size(protocol));
        objection = o.objection;
        ec.clear();
        // It means nothing to a connection; mark_options has a use for it.
        constexpr bool is_mark = std::is_same_v<Option, asio::socket_base::enable_connection_aborted>;
        if (objection != nullptr)
            ec = asio::error::invalid_argument;
        else if (!o.is_policys && !is_mark)
            socket_type::set_option(option, ec);
        else if (!this->is_open())
            ec = asio::error::bad_descriptor;
    }
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
