// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_IDLE_TOKEN_HPP
#define CLOSESIDE_DETAIL_STOP_IDLE_TOKEN_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/hooked_handler.hpp>
#include <closeside/detail/stop/stop_member.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A completion token of a read that a stop may end.
template <class Token>
struct idle_token {
    stop_member* member;
    Token token;
};

/// Passes the program's own cancellation on to the read, whose slot is the member's.
struct cancels_idle_read {
    void operator()(asio::cancellation_type type) const { member->cancel_read(type); }
    stop_member* member;
};

/// The hook of an idle read, whose handler keeps everything but its slot, which is the member's.
struct ends_idle_read {
    template <class Handler, class... Result>
    void operator()(Handler&& handler, const error_code& ec, Result&&... result) const {
        member->read_ends(ec);
        asio::get_associated_cancellation_slot(handler).clear();
        std::forward<Handler>(handler)(ec, std::forward<Result>(result)...);
    }
    stop_member* member;
};

template <class Initiation>
class initiate_idle {
public:
    initiate_idle(stop_member& member, Initiation&& initiation)
        : member_(&member), initiation_(std::move(initiation)) {}
    initiate_idle(stop_member& member, const Initiation& initiation) : member_(&member), initiation_(initiation) {}

    template <class Handler, class... Args>
    void operator()(Handler&& handler, Args&&... args) {
        if constexpr (requires { initiation_.get_executor(); })
            member_->read_begins(asio::get_associated_executor(handler, initiation_.get_executor()));
        else
            member_->read_begins(); // where the stop has looked for its session before
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) slot.template emplace<cancels_idle_read>(cancels_idle_read{member_});
        try {
            std::move(initiation_)(hook_handler(ends_idle_read{member_}, std::forward<Handler>(handler)),
                                   std::forward<Args>(args)...);
        } catch (...) {
            slot.clear(); // there is no read whose handler would
            throw;
        }
    }

    auto get_executor() const noexcept requires requires(const Initiation& i) { i.get_executor(); }
    { return initiation_.get_executor(); }

private:
    stop_member* member_;
    Initiation initiation_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

template <class Token, class Result, class... Args>
class closeside::asio::async_result<closeside::detail::idle_token<Token>, Result(Args...)> {
public:
    template <class Initiation, class IdleToken, class... InitArgs>
    static auto initiate(Initiation&& initiation, IdleToken&& idle, InitArgs&&... args) {
        using inner = closeside::detail::initiate_idle<std::decay_t<Initiation>>;
        return closeside::asio::async_initiate<Token, Result(Args...)>(
            inner(*idle.member, std::forward<Initiation>(initiation)), idle.token, std::forward<InitArgs>(args)...);
    }
};

template <class Handler, class Default>
struct closeside::asio::associated_cancellation_slot<
    closeside::detail::hooked_handler<closeside::detail::ends_idle_read, Handler>, Default> {
    using type = closeside::asio::cancellation_slot;
    static type get(const closeside::detail::hooked_handler<closeside::detail::ends_idle_read, Handler>& h,
                    const Default& = Default()) noexcept {
        return h.hook().member->slot();
    }
};

#endif
