// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_IMPL_STOP_CORE_IPP
#define CLOSESIDE_DETAIL_STOP_IMPL_STOP_CORE_IPP

#include <closeside/detail/close/told_to_go.hpp>
#include <closeside/detail/stop/stop_core.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include <poll.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Called when the timer is over. It owns who waits for the stop: if the context is destroyed first, both go.
struct stop_core::timer_handler {
    using allocator_type = in_place_allocator<std::byte, 256, std::allocator<void>>;
    allocator_type get_allocator() const noexcept { return {memory->timer_memory_[wait % 2], {}}; }
    void operator()(const error_code& ec) {
        if (!ec) core->step();
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
        core->step();
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
        errands = v->errands;
    }
    member->visited(errands); // it cannot go meanwhile: this is its session's executor
}

CLOSESIDE_DECL stop_core::stop_core(const asio::any_io_executor& executor) : executor_(executor), timer_(executor) {
    add_context(close_deadlines::of(executor));
}

CLOSESIDE_DECL stop_core::~stop_core() = default;

inline void stop_core::add_context(close_deadlines& deadlines) {
    for (const context& c : contexts_)
        if (c.deadlines.load(std::memory_order_relaxed) == &deadlines) return;
    context& c = contexts_.emplace_back(*this, deadlines);
    if (stopping()) close_deadlines::set(c, deadline_, reserve(members_), [](int) {});
}

CLOSESIDE_DECL void stop_core::enter(stop_member& m, close_deadlines& deadlines) {
    bool is_late = false;
    {
        const std::lock_guard lock(mutex);
        add_context(deadlines);
        m.previous_ = last_;
        (last_ != nullptr ? last_->next_ : first_) = &m;
        last_ = &m;
        ++members_;
        if (!stopping()) return;
        m.counted_in_ = number_;
        ++report_.idle;
        told_to_go::take(m.descriptor_); // of a connection that had this descriptor before
        is_late = now_in() == phase::cut;
    }
    if (is_late) visit(m, errand_cut);
}

CLOSESIDE_DECL void stop_core::leave(stop_member& m) noexcept {
    const std::lock_guard lock(mutex);
    if (cursor_ == &m) cursor_ = m.next_;
    (m.previous_ != nullptr ? m.previous_->next_ : first_) = m.next_;
    (m.next_ != nullptr ? m.next_->previous_ : last_) = m.previous_;
    if (m.visit_ != nullptr) m.visit_->member = nullptr;
    --members_;
    ++returned_;
    if (members_ == 0 && stopping()) post_step();
}

CLOSESIDE_DECL void stop_core::visit(stop_member& m, unsigned errands) noexcept {
    std::shared_ptr<stop_visit> v;
    {
        const std::lock_guard lock(mutex);
        if (m.visit_ != nullptr) {
            m.visit_->errands |= errands;
            return;
        }
        v = make_visit(m, errands);
        if (!v) return; // it is visited once more at the deadline
        ++under_way_;
    }
    stop_visit::post(std::move(v));
}

CLOSESIDE_DECL void stop_core::count(stop_member& m, bool idle, bool open) noexcept {
    const std::lock_guard lock(mutex);
    if (!stopping() || m.counted_in_ == number_) return;
    m.counted_in_ = number_;
    if (!open && was_closing(m.descriptor_)) return;
    ++(idle ? report_.idle : report_.busy);
}

CLOSESIDE_DECL void stop_core::visit_is_back(stop_visit& v) noexcept {
    const std::lock_guard lock(mutex);
    if (v.member != nullptr) v.member->visit_ = nullptr;
    v.member = nullptr;
    ++returned_;
    if (--under_way_ == 0 && stopping()) post_step();
}

CLOSESIDE_DECL void stop_core::add(close_deadlines& deadlines, std::shared_ptr<stop_listener> listener) {
    const std::lock_guard lock(mutex);
    add_context(deadlines);
    listeners_.push_back(std::move(listener));
}

CLOSESIDE_DECL void stop_core::listener_is_closed() noexcept {
    const std::lock_guard lock(mutex);
    if (open_listeners_ != 0 && --open_listeners_ == 0) post_step();
}

CLOSESIDE_DECL bool stop_core::begin(const stop_options& options, const std::shared_ptr<stop_waiter>& waiter) {
    told_to_go::prepare();
    std::vector<std::shared_ptr<stop_listener>> listeners;
    clock::duration longest{};
    {
        const std::lock_guard lock(mutex);
        if (!waiter_.expired()) return false;
        using std::chrono::milliseconds;
        constexpr milliseconds forever = std::chrono::hours(24 * 365);
        const milliseconds within = std::clamp<milliseconds>(options.within, milliseconds(0), forever);
        const milliseconds notice = std::clamp<milliseconds>(options.notice, milliseconds(0), within);
        listeners = listeners_;
        began_ = clock::now();
        deadline_ = began_ + within;
        notice_over_ = began_ + notice;
        waiter_ = waiter;
        result_ = {};
        report_ = {};
        cut_ = 0;
        ++number_;
        closing_.clear();
        grace_over_ = {};
        set_for_ = {};
        open_listeners_ = listeners.size();
        longest = std::min<clock::duration>(within / 2, std::chrono::seconds(1));
        phase_.store(phase::notice, std::memory_order_release);
        const std::size_t waiting = waiting_closes();
        for (context& c : contexts_)
            report_.closing += close_deadlines::set(c, deadline_, reserve(members_ + waiting), [&](int descriptor) {
                const auto place = static_cast<std::size_t>(descriptor);
                try {
                    if (closing_.size() <= place) closing_.resize(place + 1);
                    closing_[place] = true;
                } catch (...) {
                    // Without memory its member is counted as well.
                }
            });
        start_pass(errand_begin);
        set_timer(deadline_);
        post_step();
    }
    for (const auto& l : listeners) l->end(shared_from_this(), longest);
    return true;
}

CLOSESIDE_DECL void stop_core::hurry(const error_code& ec) noexcept {
    const std::lock_guard lock(mutex);
    if (!stopping() || waiter_.expired()) return;
    if (ec) result_ = ec;
    deadline_ = notice_over_ = std::min(deadline_, clock::now());
    for (context& c : contexts_) close_deadlines::set(c, deadline_, {}, [](int) {});
    post_step();
}

CLOSESIDE_DECL void stop_core::abandon() noexcept {
    std::shared_ptr<stop_waiter> waiter;
    {
        const std::lock_guard lock(mutex);
        waiter = waiter_.lock();
        waiter_.reset();
        contexts_.clear();
        listeners_.clear();
        timer_.reset();
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
        phase_.store(phase::sweep, std::memory_order_release);
        start_pass(cursor_ != nullptr ? errand_sweep | errand_begin : errand_sweep);
    }
    if (now_in() == phase::sweep && now >= cut_begins()) {
        phase_.store(phase::cut, std::memory_order_release);
        start_pass(cursor_ != nullptr ? errand_cut | pass_ : errand_cut);
    }
}

/// Null if there is no memory now.
CLOSESIDE_DECL std::shared_ptr<stop_visit> stop_core::make_visit(stop_member& m, unsigned errands) noexcept try {
    auto v = std::allocate_shared<stop_visit>(visit_memory<stop_visit>(shared_from_this()), shared_from_this(), m,
                                              m.executor_, errands);
    m.visit_ = v.get();
    return v;
} catch (...) {
    return nullptr;
}

/// Null: nobody is left in this pass, or there is no memory now.
CLOSESIDE_DECL std::shared_ptr<stop_visit> stop_core::next_visit() noexcept {
    while (cursor_ != nullptr) {
        stop_member& m = *cursor_;
        std::shared_ptr<stop_visit> v;
        if (m.visit_ != nullptr)
            m.visit_->errands |= pass_; // which is on its way
        else if (v = make_visit(m, pass_); !v)
            return v;
        cursor_ = m.next_;
        if (v) return v;
    }
    return nullptr;
}

CLOSESIDE_DECL bool stop_core::is_over(clock::time_point now) noexcept {
    if (members_ == 0 && under_way_ == 0 && open_listeners_ == 0 && waiting_closes() == 0) return true;
    if (now_in() != phase::cut) return false;
    // Whose thread does not come back is not waited for.
    const clock::time_point latest = deadline_ + longest_grace;
    if (cursor_ != nullptr) return now >= latest;
    if (std::exchange(returned_before_, returned_) != returned_ || grace_over_ == clock::time_point())
        grace_over_ = std::min(std::max(now, deadline_) + grace, latest);
    return now >= grace_over_;
}

CLOSESIDE_DECL auto stop_core::next_look() const noexcept -> clock::time_point {
    const clock::time_point at = now_in() == phase::notice  ? std::min(notice_over_, cut_begins())
                                 : now_in() == phase::sweep ? cut_begins()
                                 : cursor_ == nullptr       ? grace_over_
                                                            : deadline_ + longest_grace;
    return cursor_ != nullptr ? std::min(at, next_turn_) : at;
}

CLOSESIDE_DECL void stop_core::step() noexcept {
    std::array<std::shared_ptr<stop_visit>, most_at_once> turn;
    unsigned n = 0;
    std::shared_ptr<stop_waiter> told;
    stop_report report;
    error_code ec;
    {
        const std::lock_guard lock(mutex);
        if (waiter_.expired()) return;
        const clock::time_point now = clock::now();
        enter_phases(now);
        if (under_way_ == 0 || now >= next_turn_) {
            while (n != most_at_once && (turn[n] = next_visit())) ++n;
            under_way_ += n;
            if (n != 0 || cursor_ != nullptr) next_turn_ = now + pace;
        }
        if (is_over(now)) {
            told = waiter_.lock();
            waiter_.reset();
            report_.cut = cut_;
            report_.left_over = members_;
            report_.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(now - began_);
            report = report_;
            ec = result_;
            for (context& c : contexts_) close_deadlines::set(c, clock::time_point::max(), {}, [](int) {});
            set_for_ = {};
            timer_->cancel();
        } else {
            set_timer(next_look());
        }
    }
    for (auto& v : turn)
        if (v) stop_visit::post(std::move(v));
    if (told) told->complete(ec, report);
}

CLOSESIDE_DECL void stop_core::set_timer(clock::time_point at) noexcept {
    std::shared_ptr<stop_waiter> waiter = waiter_.lock();
    if (at == set_for_ || !waiter || !timer_) return;
    try {
        timer_->expires_at(at);
        timer_->async_wait(timer_handler{this, shared_from_this(), std::move(waiter), ++wait_});
        set_for_ = at;
    } catch (...) {
        set_for_ = {}; // no memory: whatever happens next sets it
    }
}

CLOSESIDE_DECL void stop_core::post_step() noexcept {
    if (!stopping() || step_posted_.exchange(true, std::memory_order_acq_rel)) return;
    try {
        with_target(executor_, [this](const auto& e) { asio::post(e, stepper{this, shared_from_this()}); });
    } catch (...) {
        step_posted_.store(false, std::memory_order_release); // the timer comes all the same
    }
}

CLOSESIDE_DECL void stop_member::enter(close_deadlines& deadlines) {
    if (calls_->is_open(stream_)) descriptor_ = calls_->descriptor(stream_);
    core_->enter(*this, deadlines);
}

CLOSESIDE_DECL stop_member::~stop_member() {
    if (core_->stopping()) core_->count(*this, state_ != state::busy, false);
    core_->leave(*this);
}

CLOSESIDE_DECL brief_mutex& stop_member::mutex() const noexcept { return core_->mutex; }

CLOSESIDE_DECL void stop_member::call_at_stop(std::function<void()> f) {
    at_stop_ = std::move(f);
    if (at_stop_ && core_->stopping()) core_->visit(*this, errand_begin);
}

CLOSESIDE_DECL void stop_member::read_begins() noexcept {
    if (core_->stopping()) core_->count(*this, state_ != state::busy, true);
    state_ = state::idle;
    // The visit comes when the read is under way.
    if (core_->now_in() >= stop_core::phase::sweep) core_->visit(*this, errand_sweep);
}

CLOSESIDE_DECL void stop_member::read_ends(const error_code& ec) noexcept {
    if (core_->stopping()) core_->count(*this, true, true);
    const bool by_stop = std::exchange(ending_, false) && ec;
    state_ = by_stop ? state::ended : state::busy;
    if (by_stop) told_to_go::note(descriptor_);
}

/// Input, a FIN or an error: a read that is under way completes with it.
inline bool has_news(int descriptor) noexcept {
    ::pollfd p{descriptor, POLLIN, 0};
    return ::poll(&p, 1, 0) > 0;
}

CLOSESIDE_DECL void stop_member::visited(unsigned errands) {
    const bool open = calls_->is_open(stream_);
    if ((errands & errand_begin) != 0) core_->count(*this, state_ != state::busy, open);
    if ((errands & errand_cut) != 0) return open ? end_at_deadline() : void();
    if ((errands & errand_sweep) != 0 && open && state_ == state::idle && !has_news(descriptor_)) {
        ending_ = true;
        ends_read_.emit(calls_->ends_read);
    }
    if ((errands & errand_begin) == 0 || !at_stop_) return;
    const auto f = std::exchange(at_stop_, nullptr); // which may end this member
    f();
}

/// A message that is cut must show; what is idle ends as its policy says.
CLOSESIDE_DECL void stop_member::end_at_deadline() {
    if (state_ != state::busy && !calls_->resets_idle) return calls_->close(stream_);
    core_->was_cut();
    calls_->abort(stream_);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
