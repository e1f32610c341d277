// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_DEADLINES_HPP
#define CLOSESIDE_DETAIL_CLOSE_DEADLINES_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/context_of.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/kernel/forks.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Runs what Asio has for it where Asio is: on a thread of the context, or of its own, that runs no program's handlers.
/** The timer for all must neither queue behind one connection's handlers nor use an executor that dies with one. */
struct context_executor {
    asio::execution_context* context;

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *context; }
    template <class Function>
    void execute(Function&& function) const {
        std::decay_t<Function>(std::forward<Function>(function))();
    }
    friend bool operator==(const context_executor&, const context_executor&) noexcept = default;
};

/// The deadlines of all closes that wait on one execution context: a heap, and one timer for the earliest of them.
/** A close thus costs no timer of its own, neither its memory nor, while others wait too, the system call that sets it.
 *  The timer runs only while a close is under way, so that it keeps no context's run() from returning. */
class __attribute__((visibility("default"))) close_deadlines : public asio::execution_context::service {
public:
    using clock = std::chrono::steady_clock;
    using key_type = close_deadlines;
    [[gnu::visibility("default")]] inline static asio::execution_context::id id; // by its address, without typeid

    /// Base of what has a deadline. Its members, and every function below, belong to the holder of the mutex.
    class entry {
    public:
        entry() = default;
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;

        clock::time_point deadline() const noexcept { return deadline_; }

    protected:
        ~entry() = default;

    private:
        friend class close_deadlines;
        static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

        /// Called once the deadline is over, with the mutex held, when the entry has left the heap.
        virtual void deadline_over() noexcept = 0;

        clock::time_point deadline_{};
        std::size_t place_ = nowhere;
    };

    /// Base of what found no memory to go on with, and tries again in a moment.
    class deferred {
    public:
        deferred() = default;
        deferred(const deferred&) = delete;
        deferred& operator=(const deferred&) = delete;

    protected:
        ~deferred() = default;

    private:
        friend class close_deadlines;

        /// Called without the mutex.
        virtual void again(std::shared_ptr<deferred> self) noexcept = 0;

        std::shared_ptr<deferred> next_;
    };

    explicit close_deadlines(asio::execution_context& context)
        : service(context), timer_(context_executor{&context}), made_at_(forks()) {
        count_forks();
    }

    template <class Executor>
    static close_deadlines& of(const Executor& executor) {
        return asio::use_service<close_deadlines>(context_of(executor));
    }

    /// The context belongs to the process that this one was forked from, and nobody has taken it over.
    bool is_inherited() const noexcept { return made_at_.load(std::memory_order_relaxed) != forks(); }
    /// This process uses the context as its own: it accepts, connects, or has been told notify_fork(fork_child).
    void take_over() noexcept {
        if (is_inherited()) made_at_.store(forks(), std::memory_order_relaxed);
    }

    /// False if the context is being destroyed, so that nobody would wake.
    /** @throws std::bad_alloc; the entry is then not there. */
    bool insert(entry& e, clock::time_point deadline) {
        if (!timer_) return false;
        heap_.push_back(&e);
        e.deadline_ = deadline;
        e.place_ = heap_.size() - 1;
        rise(e.place_);
        empty_.store(false, std::memory_order_relaxed);
        try {
            set_timer(heap_.front()->deadline_);
        } catch (...) {
            take_out(e);
            throw;
        }
        return true;
    }

    /// Nothing happens to an entry that is not there. Who does not insert it again calls rest() then.
    void remove(entry& e) noexcept {
        if (e.place_ != entry::nowhere) take_out(e);
    }

    /// Stops the timer if no close needs it any more. Only here, so that a close which waits again finds it running.
    /** To be called without the mutex. Whoever removed the last entry sees it here. */
    void rest() noexcept {
        if (!empty_.load(std::memory_order_relaxed)) return;
        const std::lock_guard lock(mutex);
        rest_locked();
    }
    void rest_locked() noexcept {
        if (heap_.empty() && !deferred_) stop_timer();
    }

    /// False if there is no memory for the timer either; `d` then stays. To be called without the mutex.
    /** Where the context is being destroyed, `d` is let go. */
    bool defer(std::shared_ptr<deferred>& d) noexcept {
        const std::lock_guard lock(mutex);
        if (timer_) {
            const bool somebody_comes = set_for_.has_value();
            try {
                set_timer(clock::now() + pause);
            } catch (...) {
                if (!somebody_comes) return false;
            }
            d->next_ = std::move(deferred_);
            deferred_ = std::move(d);
        }
        return true;
    }

    std::mutex mutex;

private:
    using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, context_executor>;

    /// After a burst of closes more memory than for so many is given back.
    static constexpr std::size_t kept_capacity = 1024;

    /// Between two attempts to find memory.
    static constexpr std::chrono::milliseconds pause{10};

    /// Called when the timer is over. One wait after another finds its memory here, also while the one before it, which
    /// has been cancelled, still has its own.
    struct timer_handler {
        using allocator_type = in_place_allocator<std::byte, 192, std::allocator<void>>;
        allocator_type get_allocator() const noexcept { return {deadlines->memory_[wait % 2], {}}; }
        void operator()(const error_code&) const { deadlines->timer_over(wait); }

        close_deadlines* deadlines;
        std::uint64_t wait;
    };

    void shutdown() override {
        std::unique_lock lock(mutex);
        timer_.reset();
        std::shared_ptr<deferred> destroyed = std::move(deferred_);
        lock.unlock(); // since the program's handlers go with them
        while (destroyed) destroyed = std::move(destroyed->next_);
    }

    void notify_fork(asio::execution_context::fork_event event) override {
        if (event == asio::execution_context::fork_child) take_over();
    }

    /// A timer that is set too early wakes once for nothing; most deadlines of a program lie equally far ahead, so that a
    /// new one is seldom the earliest.
    void set_timer(clock::time_point at) {
        if (set_for_ && *set_for_ <= at) return;
        set_for_.reset();
        timer_->expires_at(at);
        // If this throws, the wait that expires_at has just cancelled still counts, and sets the timer anew.
        timer_->async_wait(timer_handler{this, latest_wait_ + 1});
        ++latest_wait_;
        set_for_ = at;
    }

    void stop_timer() noexcept {
        shrink();
        if (!set_for_ || !timer_) return;
        ++latest_wait_;
        set_for_.reset();
        timer_->cancel();
    }

    void timer_over(std::uint64_t wait) {
        std::unique_lock lock(mutex);
        if (wait != latest_wait_) return; // set anew, or stopped, meanwhile
        set_for_.reset();
        std::shared_ptr<deferred> now_again = std::move(deferred_);
        const auto now = clock::now();
        while (!heap_.empty() && heap_.front()->deadline_ <= now) end_earliest();
        try {
            if (!heap_.empty()) set_timer(heap_.front()->deadline_);
        } catch (...) {
            // Without a timer nobody would come back: better early than never.
            while (!heap_.empty()) end_earliest();
        }
        if (heap_.empty()) shrink();
        lock.unlock();
        while (now_again) {
            std::shared_ptr<deferred> d = std::move(now_again);
            now_again = std::move(d->next_);
            deferred& each = *d;
            each.again(std::move(d));
        }
    }

    /// Of an empty heap.
    void shrink() noexcept {
        if (heap_.capacity() > kept_capacity) std::vector<entry*>().swap(heap_);
    }

    void end_earliest() noexcept {
        entry& e = *heap_.front();
        take_out(e);
        e.deadline_over();
    }

    void take_out(entry& e) noexcept {
        const std::size_t place = std::exchange(e.place_, entry::nowhere);
        entry* const last = heap_.back();
        heap_.pop_back();
        if (heap_.empty()) empty_.store(true, std::memory_order_relaxed);
        if (last == &e) return;
        put(place, last);
        rise(place);
        sink(last->place_);
    }

    void put(std::size_t place, entry* e) noexcept {
        heap_[place] = e;
        e->place_ = place;
    }

    void rise(std::size_t place) noexcept {
        entry* const e = heap_[place];
        for (; place > 0; place = (place - 1) / 2) {
            entry* const parent = heap_[(place - 1) / 2];
            if (parent->deadline_ <= e->deadline_) break;
            put(place, parent);
        }
        put(place, e);
    }

    void sink(std::size_t place) noexcept {
        entry* const e = heap_[place];
        for (std::size_t child = 2 * place + 1; child < heap_.size(); place = child, child = 2 * place + 1) {
            if (child + 1 < heap_.size() && heap_[child + 1]->deadline_ < heap_[child]->deadline_) ++child;
            if (e->deadline_ <= heap_[child]->deadline_) break;
            put(place, heap_[child]);
        }
        put(place, e);
    }

    std::vector<entry*> heap_;
    std::atomic<bool> empty_{true}; ///< heap_.empty(), written with the mutex held
    in_place_memory<192> memory_[2];
    std::shared_ptr<deferred> deferred_;       ///< the last of them
    std::optional<timer> timer_;               ///< empty: the context is being destroyed
    std::optional<clock::time_point> set_for_; ///< empty: no wait is under way, or only one that counts no more
    std::uint64_t latest_wait_ = 0;
    std::atomic<unsigned> made_at_; ///< forks() of the process whose connections these are
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
