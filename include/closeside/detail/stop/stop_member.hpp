// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_STOP_MEMBER_HPP
#define CLOSESIDE_DETAIL_STOP_STOP_MEMBER_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/brief_mutex.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/detail/stop/stop_visit.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What a stop does to a stream of some type.
struct stop_stream_calls {
    bool (*is_open)(void* stream);
    int (*descriptor)(void* stream);
    void (*abort)(void* stream);
    void (*close)(void* stream);
    bool resets_idle; ///< its end at the deadline is RST even if it is idle
    asio::cancellation_type ends_read;
};

/// What of a member does not depend on its stream. All but its place in the list belongs to the session's executor.
class stop_member {
public:
    stop_member(const stop_member&) = delete;
    stop_member& operator=(const stop_member&) = delete;

    template <class Executor>
    void read_begins(const Executor& e) {
        if (!executor_.holds(e)) {
            const std::lock_guard lock(mutex());
            executor_.assign(e);
        }
        read_begins();
    }
    void read_begins() noexcept;
    void read_ends(const error_code& ec) noexcept;
    asio::cancellation_slot slot() noexcept { return ends_read_.slot(); }
    void cancel_read(asio::cancellation_type type) { ends_read_.emit(type); }

protected:
    template <class Executor>
    stop_member(std::shared_ptr<stop_core> core, void* stream, const stop_stream_calls& calls, const Executor& e,
                close_deadlines& deadlines)
        : core_(std::move(core)), stream_(stream), calls_(&calls), executor_(e) {
        enter(deadlines);
    }
    ~stop_member();

    const stop_core& core() const noexcept { return *core_; }
    void call_at_stop(std::function<void()> f);

private:
    friend class stop_core;
    friend class stop_visitor;
    enum class state : std::uint8_t { busy, idle, ended };

    void enter(close_deadlines& deadlines);
    void visited(unsigned errands);
    void end_at_deadline();
    brief_mutex& mutex() const noexcept;
    bool is_idle() const noexcept { return state_.load(std::memory_order_seq_cst) == state::idle; }
    bool was_idle() const noexcept { return state_.load(std::memory_order_relaxed) != state::busy; }

    const std::shared_ptr<stop_core> core_;
    void* const stream_;
    const stop_stream_calls* const calls_;
    stop_executor executor_; ///< changed with the core's mutex held
    asio::cancellation_signal ends_read_;
    std::function<void()> at_stop_;
    std::atomic<bool> wants_call_ = false;
    stop_member* previous_ = nullptr;
    stop_member* next_ = nullptr;
    stop_visit* visit_ = nullptr; ///< that is on its way here
    int descriptor_ = -1;
    unsigned counted_in_ = 0; ///< the number of a stop
    std::atomic<state> state_ = state::busy;
    bool ending_ = false; ///< its read, by the stop
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
