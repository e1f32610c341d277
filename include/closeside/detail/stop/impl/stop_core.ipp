// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_IMPL_STOP_CORE_IPP
#define CLOSESIDE_DETAIL_STOP_IMPL_STOP_CORE_IPP

#include <closeside/detail/close/told_to_go.hpp>
#include <closeside/detail/stop/stop_core.hpp>
#include <closeside/error.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <mutex>
#include <utility>

#include <poll.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Called when the timer is over. It owns who waits for the stop: if the context is destroyed first, both go.
struct stop_core::timer_handler {
    using allocator_type = in_place_allocator<std::byte, 256, std::allocator<void>>;
    allocator_type get_allocator() const noexcept { return {memory->timer_memory_[wait % 2], {}}; }
    void operator()(const error_code& ec) {
        if (!ec) core->step(wait);
    }

    stop_core* memory;
    std::shared_ptr<stop_core> core;
    std::shared_ptr<stop_waiter> waiter;
    std::uint64_t wait;
};

struct stop_core::stepper {
    using allocator_type = in_place_allocator<std::byte, 128, std::allocator<void>>;
    allocator_type get_allocator() const noexcept { return {memory->step_memory_, {}}; }
    void operator()() {
        core->step_posted_.store(false, std::memory_order_release);
        core->step(0);
    }

    stop_core* memory;
    std::shared_ptr<stop_core> core;
};

/// Of the core, which it keeps until the memory is back.
template <class T>
class stop_core::visit_memory {
public:
    using value_type = T;

    explicit visit_memory(std::shared_ptr<stop_core> core) noexcept : core_(std::move(core)) {}
    template <class U>
    visit_memory(const visit_memory<U>& other) noexcept : core_(other.core_) {}

    T* allocate(std::size_t n) { return static_cast<T*>(core_->spare_.take(n * sizeof(T))); }
    void deallocate(T* memory, std::size_t n) noexcept { core_->spare_.give_back(memory, n * sizeof(T)); }

    template <class U>
    bool operator==(const visit_memory<U>& other) const noexcept {
        return core_ == other.core_;
    }

private:
    template <class>
    friend class visit_memory;

    std::shared_ptr<stop_core> core_;
};

CLOSESIDE_DECL stop_visitor::~stop_visitor() {
    if (visit_) visit_->core->visit_is_back(*visit_);
}

CLOSESIDE_DECL void stop_visitor::operator()() {
    const std::shared_ptr<stop_visit> v = std::move(visit_);
    struct comes_back {
        stop_visit& visit;
        ~comes_back() { visit.core->visit_is_back(visit); }
    } const back{*v};
    stop_member* member = nullptr;
    unsigned errands = 0;
    {
        const std::lock_guard lock(v->core->mutex);
        if (v->member == nullptr) return;
        member = std::exchange(v->member, nullptr);
        member->visit_ = nullptr;
        if (v->stop != v->core->number_ || !v->core->executor_) return; // of a stop that is over, or abandoned
        errands = v->errands;
    }
    member->visited(errands); // it cannot go meanwhile: this is its session's executor
}

CLOSESIDE_DECL stop_core::stop_core(const asio::any_io_executor& executor) : executor_(executor), timer_(executor) {
    add_context(close_deadlines::of(executor));
}

CLOSESIDE_DECL stop_core::~stop_core() = default;

inline void stop_core::add_context(close_deadlines& deadlines) {
    for (auto c = contexts_.begin(); c != contexts_.end();) {
        close_deadlines* const d = c->deadlines.load(std::memory_order_relaxed);
        if (d == &deadlines) return;
        c = d == nullptr ? contexts_.erase(c) : std::next(c);
    }
    context& c = contexts_.emplace_back(*this, deadlines);
    if (is_under_way()) close_deadlines::set(c, deadline_, reserve(members_), false, [](int) {});
}

CLOSESIDE_DECL void stop_core::enter(stop_member& m, close_deadlines& deadlines) {
    bool is_late = false;
    {
        const std::lock_guard lock(mutex);
        if (executor_) add_context(deadlines);
        m.previous_ = last_;
        (last_ != nullptr ? last_->next_ : first_) = &m;
        last_ = &m;
        ++members_;
        if (!is_under_way()) return;
        m.counted_in_ = number_;
        ++report_.idle;
        is_late = now_in() == phase::cut;
    }
    if (is_late) visit(m, errand_cut);
}

CLOSESIDE_DECL void stop_core::leave(stop_member& m) noexcept {
    std::shared_ptr<stop_visit> echo;
    {
        const std::lock_guard lock(mutex);
        if (is_under_way()) count_locked(m);
        if (cursor_ == &m) cursor_ = m.next_;
        (m.previous_ != nullptr ? m.previous_->next_ : first_) = m.next_;
        (m.next_ != nullptr ? m.next_->previous_ : last_) = m.previous_;
        if (m.visit_ != nullptr) m.visit_->member = nullptr;
        --members_;
        ++returned_;
        if (!is_under_way()) return;
        // Its stream may go a moment after it: not before that the stop is over.
        echo = make_echo(m.executor_);
        if (!echo && members_ == 0) post_step();
    }
    if (echo) stop_visit::post(std::move(echo));
}

CLOSESIDE_DECL void stop_core::visit(stop_member& m, unsigned errands) noexcept {
    std::shared_ptr<stop_visit> v;
    {
        const std::lock_guard lock(mutex);
        if (!executor_) return;
        v = make_visit(m, errands);
    }
    if (v) stop_visit::post(std::move(v)); // else it is visited once more at the deadline
}

CLOSESIDE_DECL void stop_core::count(stop_member& m) noexcept {
    const std::lock_guard lock(mutex);
    if (is_under_way()) count_locked(m);
}

CLOSESIDE_DECL void stop_core::count_locked(stop_member& m) noexcept {
    if (m.counted_in_ == number_) return;
    m.counted_in_ = number_;
    if (!was_closing(m.descriptor_)) ++(m.was_idle() ? report_.idle : report_.busy);
}

CLOSESIDE_DECL void stop_core::sweep_again() noexcept {
    const std::lock_guard lock(mutex);
    next_sweep_ = std::min(next_sweep_, clock::now() + sweep_pause);
}

CLOSESIDE_DECL void stop_core::visit_is_back(stop_visit& v) noexcept {
    const std::lock_guard lock(mutex);
    if (v.member != nullptr) v.member->visit_ = nullptr;
    v.member = nullptr;
    ++returned_;
    const bool ends_turn = v.turn == turn_ && of_turn_ != 0 && --of_turn_ == 0;
    if (--under_way_ == 0 || ends_turn) post_step();
}

CLOSESIDE_DECL void stop_core::add(close_deadlines& deadlines, const std::shared_ptr<stop_listener>& listener) {
    {
        const std::lock_guard lock(mutex);
        add_context(deadlines);
        listeners_.push_back(listener);
        if (!is_under_way()) return;
        ++open_listeners_;
    }
    listener->end(shared_from_this(), {});
}

CLOSESIDE_DECL void stop_core::listener_is_closed() noexcept {
    const std::lock_guard lock(mutex);
    if (open_listeners_ == 0 || --open_listeners_ != 0) return;
    settled_ = clock::now() + settling;
    post_step();
}

CLOSESIDE_DECL bool stop_core::begin(const stop_options& options, const std::shared_ptr<stop_waiter>& waiter) {
    told_to_go::prepare();
    std::vector<std::shared_ptr<stop_listener>> listeners;
    clock::duration longest{};
    {
        const std::lock_guard lock(mutex);
        if (is_under_way()) return false;
        using std::chrono::milliseconds;
        constexpr milliseconds forever = std::chrono::hours(24 * 365);
        const milliseconds within = std::clamp<milliseconds>(options.within, milliseconds(0), forever);
        const milliseconds notice = std::clamp<milliseconds>(options.notice, milliseconds(0), within);
        listeners = listeners_;
        longest = std::min<clock::duration>(within / 2, std::chrono::seconds(1));
        began_ = clock::now();
        deadline_ = began_ + within;
        notice_over_ = began_ + notice;
        waiter_ = waiter;
        set_for_ = {};
        try {
            set_timer(deadline_);
        } catch (...) {
            waiter_.reset(); // nothing has begun
            throw;
        }
        result_ = {};
        report_ = {};
        cut_ = 0;
        ++number_;
        closing_.clear();
        settled_ = grace_over_ = {};
        next_sweep_ = clock::time_point::max();
        open_listeners_ = listeners.size();
        phase_.store(phase::notice, std::memory_order_seq_cst);
        posts_steps_.store(true, std::memory_order_release);
        const std::size_t waiting = waiting_closes();
        for (context& c : contexts_)
            report_.closing +=
                close_deadlines::set(c, deadline_, reserve(members_ + waiting), false, [&](int descriptor) {
                    const auto place = static_cast<std::size_t>(descriptor);
                    try {
                        if (closing_.size() <= place) closing_.resize(place + 1);
                        closing_[place] = true;
                    } catch (...) {
                        // Without memory its member is counted as well.
                    }
                });
        start_pass(errand_begin);
        post_step();
    }
    for (const auto& l : listeners) l->end(shared_from_this(), longest);
    return true;
}

CLOSESIDE_DECL void stop_core::hurry() noexcept {
    const std::lock_guard lock(mutex);
    if (!is_under_way()) return;
    deadline_ = notice_over_ = std::min(deadline_, clock::now());
    for (context& c : contexts_) close_deadlines::set(c, deadline_, {}, false, [](int) {});
    post_step();
}

CLOSESIDE_DECL void stop_core::cancel(const std::weak_ptr<stop_waiter>& waiter) noexcept {
    {
        const std::lock_guard lock(mutex);
        if (!is_under_way() || waiter_.owner_before(waiter) || waiter.owner_before(waiter_)) return;
        result_ = error::cancelled;
    }
    hurry();
}

CLOSESIDE_DECL void stop_core::abandon() noexcept {
    std::shared_ptr<stop_waiter> waiter;
    {
        const std::lock_guard lock(mutex);
        posts_steps_.store(false, std::memory_order_relaxed);
        waiter = waiter_.lock();
        waiter_.reset();
        kept_waiter_.reset();
        contexts_.clear(); // from here on none_waits() is not called
        listeners_.clear();
        timer_.reset();
        executor_.reset();
    }
    if (waiter) waiter->complete(asio::error::operation_aborted, {});
}

inline bool stop_core::was_closing(int descriptor) const noexcept {
    return descriptor >= 0 && static_cast<std::size_t>(descriptor) < closing_.size() &&
           closing_[static_cast<std::size_t>(descriptor)];
}

inline std::size_t stop_core::waiting_closes() const noexcept {
    std::size_t n = 0;
    for (const context& c : contexts_) n += close_deadlines::waiting_under(c);
    return n;
}

/// So long before the deadline the end of so many has to begin: they cannot all end in one moment.
inline auto stop_core::reserve(std::size_t connections) const noexcept -> clock::duration {
    return std::min<clock::duration>((deadline_ - began_) / 5, cost_of_end * connections);
}

CLOSESIDE_DECL auto stop_core::cut_begins() const noexcept -> clock::time_point {
    return deadline_ - reserve(members_);
}

CLOSESIDE_DECL void stop_core::start_pass(unsigned errands) noexcept {
    pass_ = errands;
    cursor_ = first_;
}

CLOSESIDE_DECL void stop_core::enter_phases(clock::time_point now) noexcept {
    // Whom the pass before has not reached yet is due both.
    if (now_in() == phase::notice && now >= std::min(notice_over_, cut_begins())) {
        phase_.store(phase::sweep, std::memory_order_seq_cst);
        start_pass(cursor_ != nullptr ? errand_sweep | errand_begin : errand_sweep);
    }
    if (now_in() == phase::sweep && now >= cut_begins()) {
        phase_.store(phase::cut, std::memory_order_seq_cst);
        start_pass(cursor_ != nullptr ? errand_cut | pass_ : errand_cut);
    }
    if (now_in() == phase::sweep && cursor_ == nullptr && now >= next_sweep_) {
        next_sweep_ = clock::time_point::max();
        start_pass(errand_sweep);
    }
}

/// Who neither wants to be called nor has an idle read is not visited: until a read has been called idle it is not known on
/// which executor its session runs.
CLOSESIDE_DECL unsigned stop_core::errands_for(const stop_member& m) const noexcept {
    unsigned errands = pass_ & errand_cut;
    if (m.wants_call_.load(std::memory_order_acquire)) errands |= pass_ & errand_begin;
    if (m.is_idle()) errands |= pass_ & errand_sweep;
    return errands;
}

/// Null if there is no memory now, or a visit is on its way, which then does these errands, too.
CLOSESIDE_DECL std::shared_ptr<stop_visit> stop_core::make_visit(stop_member& m, unsigned errands) noexcept try {
    if (m.visit_ != nullptr) {
        m.visit_->errands = m.visit_->stop == number_ ? m.visit_->errands | errands : errands;
        m.visit_->stop = number_;
        return nullptr;
    }
    auto v = std::allocate_shared<stop_visit>(visit_memory<stop_visit>(shared_from_this()), shared_from_this(), &m,
                                              m.executor_, errands);
    v->stop = number_;
    m.visit_ = v.get();
    ++under_way_;
    return v;
} catch (...) {
    return nullptr;
}

CLOSESIDE_DECL std::shared_ptr<stop_visit> stop_core::make_echo(const stop_executor& e) noexcept try {
    auto v = std::allocate_shared<stop_visit>(visit_memory<stop_visit>(shared_from_this()), shared_from_this(), nullptr,
                                              e, 0u);
    ++under_way_;
    return v;
} catch (...) {
    return nullptr;
}

/// Null: nobody is left in this pass, or there is no memory now.
CLOSESIDE_DECL std::shared_ptr<stop_visit> stop_core::next_visit() noexcept {
    while (cursor_ != nullptr) {
        stop_member& m = *cursor_;
        count_locked(m);
        const unsigned errands = errands_for(m);
        std::shared_ptr<stop_visit> v;
        if (errands != 0) {
            v = make_visit(m, errands);
            if (!v && m.visit_ == nullptr) return v;
        }
        cursor_ = m.next_;
        if (!v) continue;
        v->turn = turn_;
        return v;
    }
    return nullptr;
}

CLOSESIDE_DECL bool stop_core::is_over(clock::time_point now) noexcept {
    const bool none_left = members_ == 0 && under_way_ == 0 && open_listeners_ == 0;
    if (none_left && now >= settled_ && waiting_closes() == 0) return true;
    if (now_in() != phase::cut) return false;
    // Whose thread does not come back is not waited for.
    const clock::time_point latest = deadline_ + longest_grace;
    if (cursor_ != nullptr) return now >= latest;
    if (std::exchange(returned_before_, returned_) != returned_ || grace_over_ == clock::time_point())
        grace_over_ = std::min(std::max(now, deadline_) + grace, latest);
    return now >= grace_over_;
}

CLOSESIDE_DECL auto stop_core::next_look(clock::time_point now) const noexcept -> clock::time_point {
    clock::time_point at = now_in() == phase::notice  ? std::min(notice_over_, cut_begins())
                           : now_in() == phase::sweep ? std::min(next_sweep_, cut_begins())
                           : cursor_ == nullptr       ? grace_over_
                                                      : deadline_ + longest_grace;
    if (cursor_ != nullptr) at = std::min(at, next_turn_);
    return settled_ > now ? std::min(at, settled_) : at;
}

CLOSESIDE_DECL void stop_core::step(std::uint64_t wait) noexcept {
    std::array<std::shared_ptr<stop_visit>, most_at_once> turn;
    std::shared_ptr<stop_waiter> told;
    stop_report report;
    error_code ec;
    {
        const std::lock_guard lock(mutex);
        if (!is_under_way()) return;
        const clock::time_point now = clock::now();
        enter_phases(now);
        // The last turn is slow if the wait that began with it is over: what its context had to run before has run by then.
        // While visits come back, be it slowly, the next one waits.
        bool slow = wait == wait_ && now >= next_turn_;
        if (slow && std::exchange(of_turn_before_, of_turn_) != of_turn_) {
            next_turn_ = now + pace;
            slow = false;
        }
        if (cursor_ != nullptr && (of_turn_ == 0 || slow)) {
            ++turn_;
            of_turn_ = 0;
            while (of_turn_ != most_at_once && (turn[of_turn_] = next_visit())) ++of_turn_;
            of_turn_before_ = of_turn_;
            next_turn_ = now + pace;
        }
        if (is_over(now)) {
            posts_steps_.store(false, std::memory_order_relaxed);
            told = waiter_.lock();
            waiter_.reset();
            kept_waiter_.reset();
            report_.cut = cut_;
            report_.left_over = members_;
            report_.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(now - began_);
            report = report_;
            ec = result_;
            // A close that begins late keeps to the deadline as well; those of another life do not.
            const bool early = now < deadline_;
            for (context& c : contexts_)
                close_deadlines::set(c, early ? deadline_ : clock::time_point::max(), {}, early, [](int) {});
            set_for_ = {};
            timer_->cancel();
        } else {
            try {
                set_timer(next_look(now));
            } catch (...) {
                kept_waiter_ = waiter_.lock(); // whatever happens next sets it
                set_for_ = {};
            }
        }
    }
    for (auto& v : turn)
        if (v) stop_visit::post(std::move(v));
    if (told) told->complete(ec, report);
}

/// @throws std::bad_alloc; the wait that is under way is over then.
CLOSESIDE_DECL void stop_core::set_timer(clock::time_point at) {
    std::shared_ptr<stop_waiter> waiter = waiter_.lock();
    if (at == set_for_ || !waiter || !timer_) return;
    timer_->expires_at(at);
    timer_->async_wait(timer_handler{this, shared_from_this(), std::move(waiter), wait_ + 1});
    ++wait_;
    set_for_ = at;
    kept_waiter_.reset();
}

CLOSESIDE_DECL void stop_core::post_step() noexcept {
    if (!posts_steps_.load(std::memory_order_acquire) || step_posted_.exchange(true, std::memory_order_acq_rel)) return;
    try {
        with_target(*executor_, [this](const auto& e) { asio::post(e, stepper{this, shared_from_this()}); });
    } catch (...) {
        step_posted_.store(false, std::memory_order_release); // the timer comes all the same
    }
}

CLOSESIDE_DECL void stop_member::enter(close_deadlines& deadlines) {
    if (calls_->is_open(stream_)) {
        descriptor_ = calls_->descriptor(stream_);
        told_to_go::forget(descriptor_); // of a connection that had this descriptor before
    }
    core_->enter(*this, deadlines);
}

CLOSESIDE_DECL stop_member::~stop_member() { core_->leave(*this); }

CLOSESIDE_DECL brief_mutex& stop_member::mutex() const noexcept { return core_->mutex; }

CLOSESIDE_DECL void stop_member::call_at_stop(std::function<void()> f) {
    at_stop_ = std::move(f);
    wants_call_.store(at_stop_ != nullptr, std::memory_order_release);
    if (at_stop_ && core_->stopping()) core_->visit(*this, errand_begin);
}

CLOSESIDE_DECL void stop_member::read_begins() noexcept {
    if (core_->stopping()) core_->count(*this);
    state_.store(state::idle, std::memory_order_seq_cst); // before the phase is looked at, as the stop does the reverse
    // The visit comes when the read is under way.
    if (core_->now_in() >= stop_core::phase::sweep) core_->visit(*this, errand_sweep);
}

CLOSESIDE_DECL void stop_member::read_ends(const error_code& ec) noexcept {
    if (core_->stopping()) core_->count(*this);
    const bool by_stop = std::exchange(ending_, false) && ec;
    state_.store(by_stop ? state::ended : state::busy, std::memory_order_relaxed);
    if (by_stop && calls_->is_open(stream_)) told_to_go::note(calls_->descriptor(stream_));
}

/// Input, a FIN or an error: a read that is under way completes with it.
inline bool has_news(int descriptor) noexcept {
    ::pollfd p{descriptor, POLLIN, 0};
    return ::poll(&p, 1, 0) > 0;
}

CLOSESIDE_DECL void stop_member::visited(unsigned errands) {
    const bool open = calls_->is_open(stream_);
    if ((errands & errand_cut) != 0) return open ? end_at_deadline() : void();
    if ((errands & errand_sweep) != 0 && open && is_idle()) {
        if (has_news(calls_->descriptor(stream_))) {
            core_->sweep_again();
        } else {
            ending_ = true;
            ends_read_.emit(calls_->ends_read);
        }
    }
    if ((errands & errand_begin) == 0 || !at_stop_) return;
    const auto f = std::exchange(at_stop_, nullptr); // which may end this member
    wants_call_.store(false, std::memory_order_relaxed);
    f();
}

/// A message that is cut must show; what is idle ends as its policy says.
CLOSESIDE_DECL void stop_member::end_at_deadline() {
    if (is_idle() && !calls_->resets_idle) return calls_->close(stream_);
    core_->was_cut();
    calls_->abort(stream_);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
