// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CONNECT_CONNECT_OP_HPP
#define CLOSESIDE_DETAIL_CONNECT_CONNECT_OP_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/asio/outstanding_work.hpp>
#include <closeside/detail/asio/shared_room.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/handler_step.hpp>
#include <closeside/detail/connect/connect_socket.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

using endpoint_list = std::vector<asio::ip::tcp::endpoint>;

/// The operation behind async_connect: one endpoint after the other, until one answers.
/** Everything but the waits happens on the handler's executor, where cancellations come from. */
template <class Stream, class Handler>
class connect_op final : public handler_step<asio::associated_executor_t<Handler, typename Stream::executor_type>> {
public:
    using executor_type = typename Stream::executor_type;
    using step = handler_step<asio::associated_executor_t<Handler, executor_type>>;

    connect_op(Handler&& handler, const executor_type& executor, endpoint_list to, const local_endpoint& local,
               shared_room& room)
        : step(asio::get_associated_executor(handler, executor), close_deadlines::of(executor), room),
          cancellation_(asio::get_associated_cancellation_slot(handler), asio::enable_total_cancellation()),
          handler_(std::move(handler)), io_work_(executor), socket_(executor), to_(std::move(to)), local_(local) {}

    /// @throws std::bad_alloc; the handler is then destroyed.
    static void start(std::shared_ptr<connect_op> self) {
        if (self->open_next())
            connect(std::move(self));
        else
            step::post(std::move(self));
    }

private:
    /// What Asio's operation comes to: its own bookkeeping, the waiter and an executor.
    static constexpr std::size_t room_for_wait = 144 + sizeof(executor_type);

    /// Ends on a thread of the context; the executor would have to take memory for that, too.
    struct waiter {
        using executor_type = context_executor;
        using allocator_type = in_place_allocator<std::byte, room_for_wait, std::allocator<void>>;
        using cancellation_slot_type = asio::cancellation_slot;

        explicit waiter(std::shared_ptr<connect_op>&& self) noexcept
            : allocator(self->memory_, {}), slot(self->cancellation_.slot()), op(std::move(self)) {}

        executor_type get_executor() const noexcept { return {&op->deadlines().context()}; }
        allocator_type get_allocator() const noexcept { return allocator; }
        cancellation_slot_type get_cancellation_slot() const noexcept { return slot; }

        void operator()(const error_code& ec) {
            op->result_ = ec;
            step::dispatch(std::move(op));
        }

        allocator_type allocator;
        cancellation_slot_type slot;
        std::shared_ptr<connect_op> op;
    };

    void run(std::shared_ptr<step> s) override {
        auto self = std::static_pointer_cast<connect_op>(std::move(s));
        if (std::exchange(connecting_, false) && result_) {
            result_ = connect_error(result_, to_[next_ - 1], local_);
            error_code ignored;
            socket_.close(ignored);
            if (cancellation_.cancelled() != asio::cancellation_type::none)
                result_ = asio::error::operation_aborted;
            else if (open_next())
                return connect(std::move(self));
        }
        complete(std::move(self));
    }

    /// Opens a socket for the next endpoint that allows one; `result_` says why the last did not.
    bool open_next() {
        while (next_ < to_.size()) {
            const asio::ip::tcp::endpoint& remote = to_[next_++];
            connector c = open_connector(remote, local_, Stream::policy);
            if (!c.fd) {
                result_.assign(c.error, asio::error::get_system_category());
                result_ = connect_error(result_, remote, local_);
                continue;
            }
            try {
                socket_.assign(remote.protocol(), c.fd.get(), result_);
            } catch (const std::bad_alloc&) {
                result_ = asio::error::no_memory;
            }
            if (result_) continue;
            c.fd.release();
            return true;
        }
        return false;
    }

    /// Takes no memory after the first time: the wait has its own, and so has the cancellation slot, which is not cleared
    /// meanwhile.
    static void connect(std::shared_ptr<connect_op> self) {
        connect_op& op = *self;
        op.connecting_ = true;
        op.socket_.async_connect(op.to_[op.next_ - 1], waiter(std::move(self)));
    }

    /// Everything of the operation is gone, its memory too, before the handler runs.
    static void complete(std::shared_ptr<connect_op> self) {
        connect_op& op = *self;
        op.cancellation_.slot().clear();
        op.deadlines().take_over();
        const error_code result = op.result_;
        Stream stream(typename Stream::inherits_options{}, std::move(op.socket_));
        Handler handler(std::move(op.handler_));
        self.reset();
        std::move(handler)(result, std::move(stream));
    }

    asio::cancellation_state cancellation_;
    Handler handler_;
    const outstanding_work<executor_type> io_work_; ///< for there may be a next endpoint
    typename Stream::socket_type socket_;
    const endpoint_list to_;
    const local_endpoint local_;
    in_place_memory<room_for_wait> memory_;
    std::size_t next_ = 0;
    error_code result_ = asio::error::not_found; ///< for no endpoint at all
    bool connecting_ = false;
};

template <class Stream>
class initiate_connect {
public:
    using executor_type = typename Stream::executor_type;

    explicit initiate_connect(const executor_type& executor) noexcept : executor_(executor) {}
    executor_type get_executor() const noexcept { return executor_; }

    template <class H>
    void operator()(H&& h, endpoint_list to, const local_endpoint& local) const {
        using handler_type = std::decay_t<H>;
        using op = connect_op<Stream, handler_type>;
        handler_type handler(std::forward<H>(h));
        const auto allocator = asio::get_associated_allocator(handler);
        shared_room& room = room_for<std::remove_cv_t<decltype(allocator)>, op>::make(allocator);
        const room_guard guard(room);
        op::start(std::allocate_shared<op>(room_allocator<std::byte>(room), std::move(handler), executor_,
                                           std::move(to), local, room));
    }

private:
    executor_type executor_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
