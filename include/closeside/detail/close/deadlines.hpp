// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_DEADLINES_HPP
#define CLOSESIDE_DETAIL_CLOSE_DEADLINES_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/brief_mutex.hpp>
#include <closeside/detail/asio/context_of.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/asio/io_context_of.hpp>
#include <closeside/detail/asio/spare_memory.hpp>
#include <closeside/detail/close/end_counters.hpp>
#include <closeside/detail/close/waiting_closes.hpp>
#include <closeside/detail/separate_compilation.hpp>

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

#ifdef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/detail/asio/same_configuration.hpp>
#endif

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
 *  It is work of the context only while a close is under way, so that it keeps no run() from returning. On an io_context
 *  it goes on without being work, since most closes that come later have a later deadline: one after the other needs
 *  neither a timer set nor one cancelled. */
class __attribute__((visibility("default"))) close_deadlines : public asio::execution_context::service,
                                                               public waiting_closes {
public:
    using clock = std::chrono::steady_clock;
    using key_type = close_deadlines;
    [[gnu::visibility("default")]] inline static asio::execution_context::id id; // by its address, without typeid

    /// Base of what has a deadline. Its members, and every function below, belong to the holder of the mutex.
    class entry : public waiting_close {
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

    explicit close_deadlines(asio::execution_context& context);
    ~close_deadlines();

    /// Makes them if they are not there. @throws std::bad_alloc.
    static close_deadlines& of_context(asio::execution_context& context);
    template <class Executor>
    static close_deadlines& of(const Executor& executor) {
        close_deadlines& d = of_context(context_of(executor));
        if (d.counts_work_.load(std::memory_order_relaxed) == nullptr) d.counted_by(io_context_of(executor));
        return d;
    }
    /// Null if they are not there.
    static close_deadlines* if_there(asio::execution_context& context);

    /// The counters of how its connections end; null if nobody has asked for them.
    end_counters* counters() const noexcept { return counters_.load(std::memory_order_acquire); }
    static end_counters* counters_of(asio::execution_context& context);
    template <class Executor>
    static end_counters* counters_of(const Executor& executor) {
        return counters_of(context_of(executor));
    }
    /// Makes them if they are not there. @throws std::bad_alloc.
    std::shared_ptr<end_counters> count_ends();

    /// What an orderly stop has to do with the closes of a context: none waits beyond it, those that begin later neither.
    /** Its members belong to the holders of both mutexes, the contexts' and the context's. */
    class bound {
    public:
        bound() = default;
        bound(const bound&) = delete;
        bound& operator=(const bound&) = delete;

    protected:
        ~bound() = default;

    private:
        friend class close_deadlines;

        /// Called with the context's mutex held, when no close of the context waits any more.
        virtual void none_waits() noexcept = 0;
        /// Called with the contexts' mutex held.
        virtual void context_is_gone() noexcept = 0;

        clock::time_point at_ = clock::time_point::max();
        clock::duration spread_{};
        bool lapses_ = false;
        close_deadlines* of_ = nullptr; ///< null once the context is destroyed
        bound* next_ = nullptr;
    };

    /// Of this context, and as yet without effect.
    void attach(bound& b) noexcept;
    /// To be called before `b` is destroyed.
    static void detach(bound& b) noexcept;

    /// From here on closes end at `at`, or within `spread` before it, so that not all end in one burst.
    /** `lapses`: whoever begins after that is not bound. Returns how many wait, after `f(descriptor)` for each; none, where
     *  the context is gone. */
    template <class Function>
    static std::size_t set(bound& b, clock::time_point at, clock::duration spread, bool lapses, Function&& f) noexcept {
        const std::lock_guard contexts(contexts_mutex_);
        if (b.of_ == nullptr) return 0;
        const std::lock_guard lock(b.of_->mutex);
        b.of_->for_each_descriptor(f);
        b.lapses_ = lapses;
        b.of_->set_locked(b, at, spread);
        return b.of_->count();
    }
    static std::size_t waiting_under(const bound& b) noexcept;

    /// False if the context is being destroyed, so that nobody would wake.
    /** @throws std::bad_alloc; the entry is then not there. */
    bool insert(entry& e, clock::time_point deadline);

    /// The time at which a close that waits until then is to be woken.
    clock::time_point bounded(clock::time_point until) noexcept { return bounds_ == nullptr ? until : nearest(until); }

    /// Nothing happens to an entry that is not there. Who does not insert it again lets the timer rest then.
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
    /// The close waits no more. In a handler of the context, which is work itself: the timer may go on and be none.
    void leave(waiting_close& c) noexcept {
        const std::lock_guard lock(mutex);
        waiting_closes::remove(c);
        if (heap_.empty() && !deferred_) leave_timer();
    }

    /// False if there is no memory for the timer either; `d` then stays. To be called without the mutex.
    /** Where the context is being destroyed, `d` is let go. */
    bool defer(std::shared_ptr<deferred>& d) noexcept;

    /// For operations that end with their context.
    spare_memory spare;

private:
    using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, context_executor>;

    /// After a burst of closes more memory than for so many is given back.
    static constexpr std::size_t kept_capacity = 1024;

    /// So many deadlines end in one turn of the context.
    static constexpr std::size_t most_at_once = 128;

    /// Between two attempts to find memory.
    static constexpr std::chrono::milliseconds pause{10};

    struct last_found {
        asio::execution_context* context = nullptr;
        close_deadlines* deadlines = nullptr;
        unsigned destroyed = 0;
    };

    static last_found& last_of_thread() noexcept;

    struct timer_handler;

    void shutdown() override;
    void notify_fork(asio::execution_context::fork_event event) override;

    /// A timer that is set too early wakes once for nothing; most deadlines of a program lie equally far ahead, so that a
    /// new one is seldom the earliest.
    void set_timer(clock::time_point at);
    void stop_timer() noexcept;
    void leave_timer() noexcept;

    /// The timer is work again, if it was not.
    void count_timer() noexcept;
    void counted_by(asio::io_context* context) noexcept {
        if (context != nullptr) counts_work_.store(context, std::memory_order_relaxed);
    }
    void timer_over(std::uint64_t wait);

    void emptied() noexcept override;
    void set_locked(bound& b, clock::time_point at, clock::duration spread) noexcept;
    void unlink(bound& b) noexcept;
    clock::time_point nearest(clock::time_point until) noexcept;

    /// Of an empty heap.
    void shrink() noexcept;
    void end_earliest() noexcept;
    void take_out(entry& e) noexcept;
    void put(std::size_t place, entry* e) noexcept;
    void rise(std::size_t place) noexcept;
    void sink(std::size_t place) noexcept;

    [[gnu::visibility("default")]] inline static std::atomic<unsigned> destroyed_ = 0; ///< of these, in all contexts

    std::vector<entry*> heap_;
    std::atomic<bool> empty_{true}; ///< heap_.empty(), written with the mutex held
    in_place_memory<192> memory_[2];
    std::shared_ptr<deferred> deferred_;       ///< the last of them
    std::optional<timer> timer_;               ///< empty: the context is being destroyed
    std::optional<clock::time_point> set_for_; ///< empty: no wait is under way, or only one that counts no more
    std::uint64_t latest_wait_ = 0;
    bool left_ = false;                                   ///< the wait that is under way is no work of the context
    std::atomic<asio::io_context*> counts_work_{nullptr}; ///< the context, if it is an io_context that does
    std::shared_ptr<end_counters> kept_counters_;
    std::atomic<end_counters*> counters_{nullptr}; ///< those, for who does not hold the mutex
    bound* bounds_ = nullptr;
    unsigned place_in_spread_ = 0;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/detail/close/impl/deadlines.ipp>
#endif

#endif
