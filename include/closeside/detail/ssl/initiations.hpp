// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_SSL_INITIATIONS_HPP
#define CLOSESIDE_DETAIL_SSL_INITIATIONS_HPP

#include <closeside/detail/asio/completion.hpp>
#include <closeside/detail/ssl/counted_ptr.hpp>
#include <closeside/detail/ssl/ssl_core.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Base of what begins an operation of Asio's on the TLS stream, with a hook before the program's handler.
/** It owns the core, as the operation does, so that one which is begun late finds it; at its only call it hands it on. */
template <class Core>
class initiate_on_core {
public:
    using executor_type = typename Core::layer_type::executor_type;

    explicit initiate_on_core(const counted_ptr<Core>& core) noexcept : core_(core) {}
    executor_type get_executor() const noexcept { return core_->layer().get_executor(); }

protected:
    auto& tls() const noexcept { return core_->stream; }

    counted_ptr<Core> core_;
};

template <class Core>
struct initiate_handshake : initiate_on_core<Core> {
    using initiate_on_core<Core>::initiate_on_core;

    template <class Handler, class... Buffers>
    void operator()(Handler&& handler, asio::ssl::stream_base::handshake_type type, const Buffers&... buffers) const {
        this->tls().async_handshake(type, buffers...,
                                    hook_handler(keep_core<Core>{this->core_}, std::forward<Handler>(handler)));
    }
};

template <class Core>
struct initiate_shutdown : initiate_on_core<Core> {
    using initiate_on_core<Core>::initiate_on_core;

    template <class Handler>
    void operator()(Handler&& handler) const {
        this->tls().async_shutdown(hook_handler(keep_core<Core>{this->core_}, std::forward<Handler>(handler)));
    }
};

template <class Core>
struct initiate_read : initiate_on_core<Core> {
    using initiate_on_core<Core>::initiate_on_core;

    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const& {
        initiate_read copy = *this;
        std::move(copy)(std::forward<Handler>(handler), buffers);
    }
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) && {
        auto& tls = this->tls();
        tls.async_read_some(buffers,
                            hook_handler(count_read<Core>{std::move(this->core_)}, std::forward<Handler>(handler)));
    }
};

template <class Core>
struct initiate_write : initiate_on_core<Core> {
    using initiate_on_core<Core>::initiate_on_core;

    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const& {
        initiate_write copy = *this;
        std::move(copy)(std::forward<Handler>(handler), buffers);
    }
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) && {
        auto& tls = this->tls();
        tls.async_write_some(buffers,
                             hook_handler(count_write<Core>(std::move(this->core_), asio::buffer_size(buffers)),
                                          std::forward<Handler>(handler)));
    }
};

template <class Core>
struct initiate_wait_input : initiate_on_core<Core> {
    using initiate_on_core<Core>::initiate_on_core;

    template <class Handler>
    void operator()(Handler&& handler) const {
        std::decay_t<Handler> h(std::forward<Handler>(handler));
        if (has_input(this->core_->native_handle()))
            post_completion(this->get_executor(), std::move(h), error_code());
        else
            this->core_->layer().async_wait(asio::socket_base::wait_read, std::move(h));
    }
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
