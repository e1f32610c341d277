// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_SSL_TLS_CLOSE_HPP
#define CLOSESIDE_DETAIL_SSL_TLS_CLOSE_HPP

#include <closeside/detail/asio/can_initiate.hpp>
#include <closeside/detail/asio/hooked_handler.hpp>
#include <closeside/detail/close/blocking_close.hpp>
#include <closeside/detail/close/drop.hpp>
#include <closeside/detail/close/initiate_close.hpp>
#include <closeside/detail/close/start_close.hpp>
#include <closeside/detail/ssl/engine.hpp>
#include <closeside/detail/ssl/ssl_core.hpp>
#include <closeside/policy.hpp>
#include <closeside/tls_report.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What TLS has to say at the end of a connection, and what the report tells of it.
struct tls_goodbye {
    close_manner manner(close_manner m) const noexcept {
        m.last_bytes = record.size;
        m.says_goodbye = record.size != 0;
        m.heard_goodbye = received;
        return m;
    }

    tls_close_report report(const close_report& r) const noexcept {
        tls_close_report t{r};
        t.close_notify_sent = sent_before || (record.size != 0 && r.last_bytes == last_bytes_fate::sent);
        t.close_notify_received = received;
        t.truncated = truncated;
        return t;
    }

    tls_record record{};
    bool sent_before = false; ///< by the program's shutdown
    bool received = false;
    bool truncated = false;
};

/// `record_is_cut`, `cut`: a record, a message or a record of ours is not whole.
inline tls_goodbye say_goodbye(SSL* ssl, bool record_is_cut, bool cut, bool truncated, const close_policy& p) noexcept {
    tls_goodbye g{.received = has_received_close_notify(ssl), .truncated = truncated};
    g.sent_before = !record_is_cut && has_sent_close_notify(ssl);
    if (!cut && p.linger != lingering::abort && p != policies::system) g.record = take_close_notify(ssl);
    return g;
}

template <class Stream>
tls_goodbye say_goodbye(ssl_core<Stream>& core, const close_policy& p) noexcept {
    return say_goodbye(core.native_handle(), core.record_is_cut(), core.write_is_cut(), core.truncated, p);
}

/// Of a stream of Asio's type: what it does not tell is not known.
template <class Stream>
tls_goodbye say_goodbye(asio::ssl::stream<Stream>& tls, const close_policy& p) noexcept {
    const bool cut = has_unsent_output(tls.native_handle());
    return say_goodbye(tls.native_handle(), cut, cut, false, p);
}

template <class Stream>
Stream& layer_of(ssl_core<Stream>& core) noexcept {
    return core.layer();
}
template <class Stream>
Stream& layer_of(asio::ssl::stream<Stream>& tls) noexcept {
    return tls.next_layer();
}

/// The hook that makes the report of the TCP close that of the TLS close.
struct tell_of_goodbye {
    template <class Handler>
    void operator()(Handler&& handler, const error_code& ec, const close_report& r) const {
        std::move(handler)(ec, goodbye.report(r));
    }
    tls_goodbye goodbye; ///< without its bytes
};

/// Begins the close of a TLS stream, when the completion token says.
/** `Pointer`: one that owns the core of a stream of ours, so that a close which is begun late finds it closed. */
template <class Pointer>
class initiate_tls_close {
public:
    using stream_type = std::remove_reference_t<decltype(layer_of(*std::declval<Pointer&>()))>;
    using executor_type = typename stream_type::executor_type;

    explicit initiate_tls_close(const Pointer& tls) noexcept : tls_(tls) {}
    executor_type get_executor() const noexcept { return layer_of(*tls_).get_executor(); }

    template <class Handler>
    void operator()(Handler&& handler, const close_policy& p) const {
        auto& socket = layer_of(*tls_).socket();
        std::decay_t<Handler> h(std::forward<Handler>(handler));
        if (!socket.is_open())
            return post_close_result(get_executor(), hook_handler(tell_of_goodbye{}, std::move(h)),
                                     asio::error::bad_descriptor, close_report{});
        tls_goodbye goodbye = say_goodbye(*tls_, p);
        const close_manner manner = goodbye.manner(switch_options(socket, options_, p));
        last_bytes_memory bytes = std::move(goodbye.record.memory);
        if constexpr (std::is_same_v<std::decay_t<Handler>, wants_no_report>)
            start_close(std::move(socket), p, std::move(h), manner, std::move(bytes));
        else
            start_close(std::move(socket), p, hook_handler(tell_of_goodbye{std::move(goodbye)}, std::move(h)), manner,
                        std::move(bytes));
    }

private:
    static constexpr type_options options_{stream_type::policy};

    Pointer tls_;
};

template <class Pointer, class Token>
auto close_tls_by(const Pointer& tls, const close_policy& p, Token&& token) {
    const initiate_tls_close<Pointer> initiate(tls);
    if constexpr (wants_report<Token>) {
        using signature = void(error_code, tls_close_report);
        constexpr bool takes_report = can_initiate<Token, signature, decltype(initiate), decltype(p)>;
        static_assert(takes_report, CLOSESIDE_TAKES_TLS_REPORT);
        if constexpr (takes_report) return asio::async_initiate<Token, signature>(initiate, token, p);
    } else {
        if (layer_of(*tls).is_open()) initiate(wants_no_report{}, p);
    }
}

template <class Tls>
tls_close_report close_tls_blocking(Tls& tls, const close_policy& p, error_code& ec) noexcept {
    constexpr type_options options(std::remove_reference_t<decltype(layer_of(tls))>::policy);
    auto& socket = layer_of(tls).socket();
    tls_goodbye goodbye = say_goodbye(tls, p);
    const close_manner manner = goodbye.manner(switch_options(socket, options, p));
    last_bytes_memory bytes = std::move(goodbye.record.memory);
    return goodbye.report(close_blocking(std::move(socket), p, manner, ec, std::move(bytes)));
}

/// As drop(), with a close_notify unless the connection is aborted, or is another process's.
template <class Stream>
void drop_tls(ssl_core<Stream>& core) noexcept {
    constexpr close_policy policy = Stream::policy;
    auto& socket = layer_of(core).socket();
    if (!socket.is_open()) return;
    if (is_inherited(socket)) return disown(socket);
    close_manner manner = switch_options(socket, type_options(policy), policy);
    last_bytes_memory bytes;
    if (policy.on_destroy != destroy_action::abort) {
        tls_goodbye goodbye = say_goodbye(core, policy);
        manner = goodbye.manner(manner);
        bytes = std::move(goodbye.record.memory);
    }
    drop(std::move(socket), policy, manner, std::move(bytes));
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
