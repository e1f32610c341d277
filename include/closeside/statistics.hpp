// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_STATISTICS_HPP
#define CLOSESIDE_STATISTICS_HPP

#include <closeside/close_counters.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/context_of.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/end_counters.hpp>
#include <closeside/report.hpp>

#include <concepts>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace closeside::detail {

template <class F>
class end_observer_of final : public end_observer {
public:
    explicit end_observer_of(F&& f) : f_(std::move(f)) {}

private:
    void ended(const close_report& r) noexcept override { f_(r); }

    F f_;
};

} // namespace closeside::detail

namespace closeside::inline CLOSESIDE_BACKEND {

/// How the connections of an execution context have ended.
/** The first of them switches counting on, for as long as the context lives; the next ones for the same context share its
 *  counters. Before, a close costs one load of a flag for it; afterwards three additions, and no system call. Reading and
 *  writing cost nothing either way.
 *
 *  Counted is, once, whatever ends a connection of a stream<P>, ssl_stream<P> or closeside::async_close on an executor of
 *  the context: async_close, attended, detached, cancelled or shed; close_and_wait; close and destructors; abort; and
 *  what the destruction of the context cuts. disown and a stream that is closed already are not.
 *
 *  A close that somebody waits for is counted as its report says. Of one that nobody waits for (destructor, close(),
 *  abort(), asio::detached) nothing more is asked of the kernel: what its own calls do not tell is counted as unknown, its
 *  report to on_end has no `unacknowledged`, and its `elapsed` is in whole milliseconds, up to the last event.
 *  - That both FINs were sent is known where this side's went out first, and first_fin and time_wait with it: local. If
 *    the FINs crossed, the peer has a TIME-WAIT as well.
 *  - The peer's FIN that was there before the close looked is not told from an error that the program has read: unknown,
 *    but under side::peer, which looks.
 *  - abort(), on_destroy = abort and policies::system look at nothing: unknown.
 *
 *  @par Thread safety  Distinct objects: safe. Shared objects: snapshot is safe, the rest is not.
 *  @par Object lifetime  May outlive the context; the counters then stay as its end has left them. */
class statistics {
public:
    /// Of an execution context, e.g. an asio::io_context. @throws std::bad_alloc.
    explicit statistics(asio::execution_context& context) : statistics(detail::close_deadlines::of_context(context)) {}

    /// Of the context of an executor.
    template <class Executor>
    requires(!std::same_as<Executor, statistics> && // to ask whether it is one asks whether it can be copied
             (asio::execution::is_executor<Executor>::value ||
              asio::is_executor<Executor>::value)) explicit statistics(const Executor& executor)
        : statistics(detail::close_deadlines::of(executor)) {}

    statistics(statistics&&) noexcept = default;
    statistics& operator=(statistics&& other) noexcept {
        if (this == &other) return *this;
        forget_observers();
        deadlines_ = other.deadlines_;
        counters_ = std::move(other.counters_);
        observers_ = std::move(other.observers_);
        return *this;
    }

    /// Ends what on_end has begun: when it returns, no `f` runs on another thread, and none will.
    ~statistics() { forget_observers(); }

    /// The counters of the context as they are now. Ends that go on meanwhile may be in some of them and not in others.
    close_counters snapshot() const {
        close_counters c = counters_->snapshot();
        const std::lock_guard lock(counters_->lifetime);
        if (!counters_->context_is_gone) c.waiting = deadlines_->count();
        return c;
    }

    /// Has `f(const close_report&)` called for each connection that ends from here on, until this object is gone.
    /** On the thread on which the connection ends: that of the context, of the destructor or of close_and_wait; once the
     *  descriptor is released, with no lock of closeside's held, and before the close's own handler. On several threads at
     *  once if connections end on several.
     *
     *  @param f  Must not throw (std::terminate) and should not block: it holds up the thread that ends connections. It
     *            may end other connections, which are told to it in turn, and destroy this object.
     *  @throws std::bad_alloc; `f` is then not called. */
    template <class F>
    requires std::is_invocable_v<F&, const close_report&>
    void on_end(F f) {
        observers_.reserve(observers_.size() + 1);
        auto observer = std::make_shared<detail::end_observer_of<F>>(std::move(f));
        counters_->observers.add(observer);
        observers_.push_back(std::move(observer));
    }

private:
    explicit statistics(detail::close_deadlines& deadlines)
        : deadlines_(&deadlines), counters_(deadlines.count_ends()) {}

    void forget_observers() noexcept {
        for (const auto& o : std::exchange(observers_, {})) counters_->observers.remove(o);
    }

    detail::close_deadlines* deadlines_;
    std::shared_ptr<detail::end_counters> counters_;
    std::vector<detail::end_observers::observer> observers_;
};

} // namespace closeside::inline CLOSESIDE_BACKEND

#endif
