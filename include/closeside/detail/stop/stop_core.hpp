// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_STOP_CORE_HPP
#define CLOSESIDE_DETAIL_STOP_STOP_CORE_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/brief_mutex.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/asio/spare_memory.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/detail/stop/stop_visit.hpp>
#include <closeside/stop_report.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Base of who waits for the end of a stop.
class stop_waiter {
public:
    stop_waiter() = default;
    stop_waiter(const stop_waiter&) = delete;
    stop_waiter& operator=(const stop_waiter&) = delete;

    /// Posts the handler; the next call does nothing.
    virtual void complete(const error_code& ec, const stop_report& report) = 0;

protected:
    ~stop_waiter() = default;
};

/// Base of what ends a listener once its backlog is accepted.
class stop_listener {
public:
    stop_listener() = default;
    stop_listener(const stop_listener&) = delete;
    stop_listener& operator=(const stop_listener&) = delete;
    virtual ~stop_listener() = default;

    /// Calls core->listener_is_closed() when it is. `longest`: so long it waits for the backlog to be accepted.
    virtual void end(std::shared_ptr<stop_core> core, std::chrono::steady_clock::duration longest) noexcept = 0;
};

/// The members of a stop, and its course. It outlives orderly_stop while there are members.
/** Members are visited by errands on the executors of their sessions, at most 64 a turn; a turn begins when the errands of
 *  the one before are back, or a moment later where an executor is slow. Nothing is allocated for a member: visits come
 *  from memory that is kept. The mutex is held for moments, and never while anything of the program's runs. */
class stop_core : public std::enable_shared_from_this<stop_core> {
public:
    using clock = std::chrono::steady_clock;
    enum class phase : std::uint8_t { none, notice, sweep, cut };

    /// So many members are visited in one turn.
    static constexpr unsigned most_at_once = 64;

    explicit stop_core(const asio::any_io_executor& executor);
    ~stop_core();

    const asio::any_io_executor& executor() const noexcept { return *executor_; }
    phase now_in() const noexcept { return phase_.load(std::memory_order_seq_cst); }
    bool stopping() const noexcept { return now_in() != phase::none; }

    /// Members.
    void enter(stop_member& m, close_deadlines& deadlines);
    void leave(stop_member& m) noexcept;
    void visit(stop_member& m, unsigned errands) noexcept;
    /// By what it was when the stop began. One whose close waited then is counted with the closes.
    void count(stop_member& m) noexcept;
    /// An idle read was left to complete with what is there, which may be nothing for the program.
    void sweep_again() noexcept;
    void was_cut() noexcept { cut_.fetch_add(1, std::memory_order_relaxed); }
    void visit_is_back(stop_visit& v) noexcept;

    void add(close_deadlines& deadlines, const std::shared_ptr<stop_listener>& listener);
    void listener_is_closed() noexcept;

    /// False if a stop is under way already.
    bool begin(const stop_options& options, const std::shared_ptr<stop_waiter>& waiter);
    /// The deadline is now.
    void hurry() noexcept;
    /// The same, if it is this one's stop.
    void cancel(const std::weak_ptr<stop_waiter>& waiter) noexcept;
    /// Nobody is to be told any more.
    void abandon() noexcept;

    brief_mutex mutex;

private:
    friend class stop_member;
    friend class stop_visitor;

    using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, asio::any_io_executor>;

    /// If no errand of a turn has come back for so long, the next one does not wait for it.
    static constexpr std::chrono::milliseconds pace{1};
    /// Between two sweeps of who had input at the one before.
    static constexpr std::chrono::milliseconds sweep_pause{20};
    /// So long after its listeners are closed a stop does not end: the sessions of the last connections may begin elsewhere.
    static constexpr std::chrono::milliseconds settling{20};
    /// If none has returned for so long after the last was cut, those that have not are left over.
    static constexpr std::chrono::milliseconds grace{50};
    /// The end of a stop at the latest, after its deadline: where memory or a machine's whole time is gone.
    static constexpr std::chrono::seconds longest_grace{5};
    /// What the end of a connection with a full send queue may take: the last is to end by the deadline.
    static constexpr std::chrono::microseconds cost_of_end{100};

    struct context final : close_deadlines::bound {
        context(stop_core& c, close_deadlines& d) : core(c), deadlines(&d) { d.attach(*this); }
        ~context() { close_deadlines::detach(*this); }
        void none_waits() noexcept override { core.post_step(); } // not after the core has let go of it
        void context_is_gone() noexcept override { deadlines.store(nullptr, std::memory_order_relaxed); }

        stop_core& core;
        std::atomic<close_deadlines*> deadlines;
    };
    struct timer_handler;
    struct stepper;
    template <class T>
    class visit_memory;

    void add_context(close_deadlines& deadlines);

    /// Goes on where something has changed: the only place where it does. `wait`: the number of the wait that is over, or 0.
    void step(std::uint64_t wait) noexcept;
    void post_step() noexcept;

    // With the mutex held.
    void start_pass(unsigned errands) noexcept;
    void enter_phases(clock::time_point now) noexcept;
    void count_locked(stop_member& m) noexcept;
    std::shared_ptr<stop_visit> make_visit(stop_member& m, unsigned errands) noexcept;
    std::shared_ptr<stop_visit> make_echo(const stop_executor& e) noexcept;
    unsigned errands_for(const stop_member& m) const noexcept;
    std::shared_ptr<stop_visit> next_visit() noexcept;
    bool is_over(clock::time_point now) noexcept;
    clock::time_point next_look(clock::time_point now) const noexcept;
    clock::time_point cut_begins() const noexcept;
    void set_timer(clock::time_point at);
    bool is_under_way() const noexcept { return !waiter_.expired(); }
    std::size_t waiting_closes() const noexcept;
    bool was_closing(int descriptor) const noexcept;
    clock::duration reserve(std::size_t connections) const noexcept;

    std::optional<asio::any_io_executor> executor_; ///< until abandoned, and so the timer
    std::atomic<phase> phase_ = phase::none;

    stop_member* first_ = nullptr;
    stop_member* last_ = nullptr;
    stop_member* cursor_ = nullptr; ///< the next to be visited in this pass
    std::size_t members_ = 0;
    unsigned pass_ = 0;      ///< its errands
    unsigned under_way_ = 0; ///< visits
    unsigned turn_ = 0;
    unsigned of_turn_ = 0; ///< of the visits
    unsigned of_turn_before_ = 0;
    clock::time_point next_turn_{};
    clock::time_point next_sweep_ = clock::time_point::max();
    clock::time_point settled_{};
    spare_memory spare_;

    std::list<context> contexts_;
    std::vector<std::shared_ptr<stop_listener>> listeners_;
    std::size_t open_listeners_ = 0;

    unsigned number_ = 0; ///< of the stop
    std::weak_ptr<stop_waiter> waiter_;
    std::shared_ptr<stop_waiter> kept_waiter_; ///< while there is no memory for the wait that owns it else
    error_code result_;
    clock::time_point began_{};
    clock::time_point notice_over_{};
    clock::time_point deadline_{};
    clock::time_point grace_over_{};
    unsigned returned_ = 0; ///< members and visits
    unsigned returned_before_ = 0;
    std::vector<bool> closing_; ///< the descriptors whose closes waited when the stop began
    stop_report report_;
    std::atomic<std::size_t> cut_ = 0;

    std::optional<timer> timer_;
    clock::time_point set_for_{};
    std::uint64_t wait_ = 0;
    in_place_memory<256> timer_memory_[2];
    std::atomic<bool> posts_steps_ = false; ///< a stop is under way; for who does not hold the mutex
    std::atomic<bool> step_posted_ = false;
    in_place_memory<128> step_memory_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/stop/stop_member.hpp>

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/detail/stop/impl/stop_core.ipp>
#endif

#endif
