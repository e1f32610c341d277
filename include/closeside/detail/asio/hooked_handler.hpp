// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_HOOKED_HANDLER_HPP
#define CLOSESIDE_DETAIL_ASIO_HOOKED_HANDLER_HPP

#include <closeside/detail/asio/asio.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A handler that is called by `hook(handler, results...)`, with the executor, allocator and cancellation slot of its own.
template <class Hook, class Handler>
class hooked_handler {
public:
    template <class H>
    hooked_handler(Hook&& hook, H&& handler) : hook_(std::move(hook)), handler_(std::forward<H>(handler)) {}

    template <class... Result>
    void operator()(Result&&... result) {
        hook_(std::move(handler_), std::forward<Result>(result)...);
    }

    const Hook& hook() const noexcept { return hook_; }
    Handler& inner() noexcept { return handler_; }
    const Handler& inner() const noexcept { return handler_; }

    /// Asio's own operations say so of theirs: what goes on with an operation need not wake another thread.
    friend bool asio_handler_is_continuation(hooked_handler* h) {
        using asio::asio_handler_is_continuation;
        return asio_handler_is_continuation(std::addressof(h->handler_));
    }

private:
    Hook hook_;
    Handler handler_;
};

template <class Hook, class Handler>
hooked_handler<Hook, std::decay_t<Handler>> hook_handler(Hook hook, Handler&& handler) {
    return {std::move(hook), std::forward<Handler>(handler)};
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

template <template <class, class> class Associator, class Hook, class Handler, class Default>
struct closeside::asio::associator<Associator, closeside::detail::hooked_handler<Hook, Handler>, Default>
    : Associator<Handler, Default> {
    static auto get(const closeside::detail::hooked_handler<Hook, Handler>& h, const Default& d = Default()) noexcept {
        return Associator<Handler, Default>::get(h.inner(), d);
    }
};

#endif
