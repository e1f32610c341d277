// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_START_STOP_HPP
#define CLOSESIDE_DETAIL_STOP_START_STOP_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/completion.hpp>
#include <closeside/detail/asio/outstanding_work.hpp>
#include <closeside/detail/close/start_close.hpp>
#include <closeside/detail/stop/stop_core.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A handler with the result of its stop, on the way to its executor.
template <class Handler>
class stop_completion {
public:
    using allocator_type = asio::associated_allocator_t<Handler>;

    stop_completion(Handler&& handler, const error_code& ec, const stop_report& report)
        : handler_(std::move(handler)), ec_(ec), report_(report) {}

    allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler_); }
    void operator()() { complete_here(std::move(handler_), ec_, stop_report(report_)); }

private:
    Handler handler_;
    error_code ec_;
    stop_report report_;
};

template <class Handler>
class waiting_for_stop final : public stop_waiter {
public:
    using executor_type = asio::associated_executor_t<Handler, asio::any_io_executor>;

    waiting_for_stop(Handler&& handler, const executor_type& executor)
        : executor_(executor), work_(executor), handler_(std::move(handler)) {}
    ~waiting_for_stop() = default;

    void complete(const error_code& ec, const stop_report& report) override {
        if (!handler_) return;
        Handler handler(std::move(*handler_));
        handler_.reset();
        post_to(executor_, stop_completion<Handler>(std::move(handler), ec, report));
    }

private:
    const executor_type executor_;
    const outstanding_work<executor_type> work_;
    std::optional<Handler> handler_;
};

class initiate_stop {
public:
    using executor_type = asio::any_io_executor;

    explicit initiate_stop(std::shared_ptr<stop_core> core) noexcept : core_(std::move(core)) {}
    executor_type get_executor() const noexcept { return core_->executor(); }

    template <class Handler>
    void operator()(Handler&& h, const stop_options& options) const {
        std::decay_t<Handler> handler(std::forward<Handler>(h));
        const auto executor = asio::get_associated_executor(handler, core_->executor());
        const auto allocator = operation_allocator(handler);
        auto slot = asio::get_associated_cancellation_slot(handler);
        const auto waiter =
            std::allocate_shared<waiting_for_stop<std::decay_t<Handler>>>(allocator, std::move(handler), executor);
        if (slot.is_connected()) slot.template emplace<hurries>(hurries{core_, waiter});
        if (!core_->begin(options, waiter)) waiter->complete(asio::error::already_started, {});
    }

private:
    struct hurries {
        void operator()(asio::cancellation_type type) const {
            if (type == asio::cancellation_type::none) return;
            if (const auto c = core.lock()) c->cancel(waiter);
        }
        std::weak_ptr<stop_core> core;
        std::weak_ptr<stop_waiter> waiter;
    };

    std::shared_ptr<stop_core> core_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
