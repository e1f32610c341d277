// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_DEADLINES_IPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_DEADLINES_IPP

#include <closeside/detail/close/deadlines.hpp>

#include <algorithm>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Called when the timer is over. One wait after another finds its memory here, also while the one before it, which
/// has been cancelled, still has its own.
struct close_deadlines::timer_handler {
    using allocator_type = in_place_allocator<std::byte, 192, std::allocator<void>>;
    allocator_type get_allocator() const noexcept { return {deadlines->memory_[wait % 2], {}}; }
    void operator()(const error_code&) const { deadlines->timer_over(wait); }

    close_deadlines* deadlines;
    std::uint64_t wait;
};

CLOSESIDE_DECL close_deadlines::close_deadlines(asio::execution_context& context)
    : service(context), timer_(context_executor{&context}) {}

CLOSESIDE_DECL close_deadlines::~close_deadlines() {
    destroyed_.fetch_add(1, std::memory_order_relaxed);
    if (kept_counters_) {
        const std::lock_guard counters(kept_counters_->lifetime);
        kept_counters_->context_is_gone = true;
    }
    const std::lock_guard lock(contexts_mutex_);
    while (bounds_ != nullptr) {
        bounds_->context_is_gone();
        unlink(*bounds_);
    }
}

CLOSESIDE_DECL std::shared_ptr<end_counters> close_deadlines::count_ends() {
    const std::lock_guard lock(mutex);
    if (!kept_counters_) {
        kept_counters_ = std::make_shared<end_counters>();
        counters_.store(kept_counters_.get(), std::memory_order_release);
    }
    return kept_counters_;
}

/// Most threads ask for those of one context again and again, which Asio would look for in a list under a mutex.
/** An address stands for the context only as long as none has been destroyed since: the next may lie where it was. */
CLOSESIDE_DECL close_deadlines::last_found& close_deadlines::last_of_thread() noexcept {
    static constinit thread_local last_found last;
    return last;
}

CLOSESIDE_DECL close_deadlines& close_deadlines::of_context(asio::execution_context& context) {
    last_found& last = last_of_thread();
    const unsigned destroyed = destroyed_.load(std::memory_order_relaxed);
    if (last.context != &context || last.destroyed != destroyed)
        last = {&context, &asio::use_service<close_deadlines>(context), destroyed};
    return *last.deadlines;
}

CLOSESIDE_DECL end_counters* close_deadlines::counters_of(asio::execution_context& context) {
    const close_deadlines* const d = if_there(context);
    return d != nullptr ? d->counters() : nullptr;
}

CLOSESIDE_DECL close_deadlines* close_deadlines::if_there(asio::execution_context& context) {
    const last_found& last = last_of_thread();
    if (last.context == &context && last.destroyed == destroyed_.load(std::memory_order_relaxed)) return last.deadlines;
    return asio::has_service<close_deadlines>(context) ? &of_context(context) : nullptr;
}

CLOSESIDE_DECL bool close_deadlines::insert(entry& e, clock::time_point deadline) {
    if (!timer_) return false;
    heap_.push_back(&e);
    count_timer();
    e.deadline_ = bounded(deadline);
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

CLOSESIDE_DECL bool close_deadlines::defer(std::shared_ptr<deferred>& d) noexcept {
    const std::lock_guard lock(mutex);
    if (timer_) {
        count_timer();
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

CLOSESIDE_DECL void close_deadlines::shutdown() {
    std::unique_lock lock(mutex);
    timer_.reset();
    std::shared_ptr<deferred> destroyed = std::move(deferred_);
    lock.unlock(); // since the program's handlers go with them
    while (destroyed) destroyed = std::move(destroyed->next_);
}

CLOSESIDE_DECL void close_deadlines::notify_fork(asio::execution_context::fork_event event) {
    if (event == asio::execution_context::fork_child) take_over();
}

CLOSESIDE_DECL void close_deadlines::set_timer(clock::time_point at) {
    if (set_for_ && *set_for_ <= at) return;
    set_for_.reset();
    timer_->expires_at(at);
    // If this throws, the wait that expires_at has just cancelled still counts, and sets the timer anew.
    timer_->async_wait(timer_handler{this, latest_wait_ + 1});
    ++latest_wait_;
    set_for_ = at;
}

CLOSESIDE_DECL void close_deadlines::stop_timer() noexcept {
    shrink();
    if (!set_for_ || !timer_ || left_) return;
    ++latest_wait_;
    set_for_.reset();
    timer_->cancel();
}

/// Asio counts a wait as work until its handler has run: of that, one is taken away here, and given back before.
CLOSESIDE_DECL void close_deadlines::leave_timer() noexcept {
    asio::io_context* const context = counts_work_.load(std::memory_order_relaxed);
    if (!counts_work<asio::io_context::executor_type> || context == nullptr) return stop_timer();
    shrink();
    if (!set_for_ || !timer_ || left_) return;
    left_ = true;
    work_finished(*context);
}

CLOSESIDE_DECL void close_deadlines::count_timer() noexcept {
    if (!left_) return;
    left_ = false;
    work_started(*counts_work_.load(std::memory_order_relaxed));
}

CLOSESIDE_DECL void close_deadlines::timer_over(std::uint64_t wait) {
    std::unique_lock lock(mutex);
    if (wait != latest_wait_) return; // set anew, or stopped, meanwhile
    count_timer();
    set_for_.reset();
    std::shared_ptr<deferred> now_again = std::move(deferred_);
    const auto now = clock::now();
    // The others on the next turns, between which the context runs what else is ready.
    for (std::size_t n = 0; n != most_at_once && !heap_.empty() && heap_.front()->deadline_ <= now; ++n) end_earliest();
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

CLOSESIDE_DECL void close_deadlines::emptied() noexcept {
    for (bound* b = bounds_; b != nullptr; b = b->next_) b->none_waits();
}

CLOSESIDE_DECL void close_deadlines::attach(bound& b) noexcept {
    const std::lock_guard contexts(contexts_mutex_);
    const std::lock_guard lock(mutex);
    b.of_ = this;
    b.next_ = std::exchange(bounds_, &b);
}

CLOSESIDE_DECL void close_deadlines::detach(bound& b) noexcept {
    const std::lock_guard contexts(contexts_mutex_);
    if (b.of_ == nullptr) return;
    const std::lock_guard lock(b.of_->mutex);
    b.of_->unlink(b);
}

CLOSESIDE_DECL void close_deadlines::set_locked(bound& b, clock::time_point at, clock::duration spread) noexcept {
    b.at_ = at;
    b.spread_ = spread;
    for (entry* e : heap_) e->deadline_ = bounded(e->deadline_);
    const auto is_later = [](const entry* x, const entry* y) { return x->deadline_ > y->deadline_; };
    std::make_heap(heap_.begin(), heap_.end(), is_later);
    for (std::size_t place = 0; place != heap_.size(); ++place) heap_[place]->place_ = place;
    reconsider_all();
    try {
        if (timer_ && !heap_.empty()) set_timer(heap_.front()->deadline_);
    } catch (...) {
        // The wait that is under way sets it anew, by the heap as it is then.
    }
}

CLOSESIDE_DECL void close_deadlines::unlink(bound& b) noexcept {
    bound** at = &bounds_;
    while (*at != &b) at = &(*at)->next_;
    *at = b.next_;
    b.of_ = nullptr;
}

CLOSESIDE_DECL std::size_t close_deadlines::waiting_under(const bound& b) noexcept {
    const std::lock_guard contexts(contexts_mutex_);
    return b.of_ != nullptr ? b.of_->count() : 0;
}

CLOSESIDE_DECL auto close_deadlines::nearest(clock::time_point until) noexcept -> clock::time_point {
    constexpr unsigned steps = 4096;
    for (const bound* b = bounds_; b != nullptr; b = b->next_) {
        if (until < b->at_ - b->spread_ || (b->lapses_ && clock::now() >= b->at_)) continue;
        until = std::min(until, b->at_ - b->spread_ * place_in_spread_ / steps);
        place_in_spread_ = (place_in_spread_ + 1) % steps;
    }
    return until;
}

CLOSESIDE_DECL void close_deadlines::shrink() noexcept {
    if (heap_.capacity() > kept_capacity) std::vector<entry*>().swap(heap_);
}

CLOSESIDE_DECL void close_deadlines::end_earliest() noexcept {
    entry& e = *heap_.front();
    take_out(e);
    e.deadline_over();
}

CLOSESIDE_DECL void close_deadlines::take_out(entry& e) noexcept {
    const std::size_t place = std::exchange(e.place_, entry::nowhere);
    entry* const last = heap_.back();
    heap_.pop_back();
    if (heap_.empty()) empty_.store(true, std::memory_order_relaxed);
    if (last == &e) return;
    put(place, last);
    rise(place);
    sink(last->place_);
}

CLOSESIDE_DECL void close_deadlines::put(std::size_t place, entry* e) noexcept {
    heap_[place] = e;
    e->place_ = place;
}

CLOSESIDE_DECL void close_deadlines::rise(std::size_t place) noexcept {
    entry* const e = heap_[place];
    for (; place > 0; place = (place - 1) / 2) {
        entry* const parent = heap_[(place - 1) / 2];
        if (parent->deadline_ <= e->deadline_) break;
        put(place, parent);
    }
    put(place, e);
}

CLOSESIDE_DECL void close_deadlines::sink(std::size_t place) noexcept {
    entry* const e = heap_[place];
    for (std::size_t child = 2 * place + 1; child < heap_.size(); place = child, child = 2 * place + 1) {
        if (child + 1 < heap_.size() && heap_[child + 1]->deadline_ < heap_[child]->deadline_) ++child;
        if (e->deadline_ <= heap_[child]->deadline_) break;
        put(place, heap_[child]);
    }
    put(place, e);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
