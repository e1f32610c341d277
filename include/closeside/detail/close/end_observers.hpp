// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_END_OBSERVERS_HPP
#define CLOSESIDE_DETAIL_CLOSE_END_OBSERVERS_HPP

#include <closeside/detail/asio/brief_mutex.hpp>
#include <closeside/report.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace closeside::detail {

/// Sees connections end, on many threads at once, until it is stopped.
class end_observer {
public:
    end_observer() = default;
    end_observer(const end_observer&) = delete;
    end_observer& operator=(const end_observer&) = delete;
    virtual ~end_observer() = default;

    void tell(const close_report& r) noexcept {
        const call here(*this);
        if (here.may_run) ended(r);
    }

    /// Waits for the calls that other threads are in. None begins afterwards.
    void stop() noexcept {
        unsigned own = 0;
        for (const call* c = innermost(); c != nullptr; c = c->around) own += &c->of == this;
        unsigned now = state_.fetch_or(stopped) | stopped;
        for (; now != own * one_call + stopped; now = state_.load()) state_.wait(now);
    }

private:
    static constexpr unsigned stopped = 1, one_call = 2;

    /// What this thread is in: an observer may end connections, whose endings are told, or be stopped, from inside itself.
    struct call {
        explicit call(end_observer& o) noexcept
            : of(o), around(std::exchange(innermost(), this)), may_run((o.state_.fetch_add(one_call) & stopped) == 0) {}
        call(const call&) = delete;
        call& operator=(const call&) = delete;
        ~call() {
            innermost() = around;
            if (of.state_.fetch_sub(one_call) & stopped) of.state_.notify_all();
        }
        end_observer& of;
        const call* const around;
        const bool may_run;
    };

    static const call*& innermost() noexcept {
        static constinit thread_local const call* here = nullptr;
        return here;
    }

    virtual void ended(const close_report& r) noexcept = 0;

    std::atomic<unsigned> state_{0};
};

/// The observers of one context. No lock is held while they run.
class end_observers {
public:
    using observer = std::shared_ptr<end_observer>;

    bool any() const noexcept { return any_.load(std::memory_order_relaxed); }

    [[gnu::noinline]] void tell(const close_report& r) const noexcept {
        std::unique_lock lock(mutex_);
        const std::shared_ptr<const list> now = list_;
        lock.unlock();
        if (now)
            for (const observer& o : *now) o->tell(r);
    }

    /// @throws std::bad_alloc; nothing has changed then.
    void add(observer o) {
        const std::lock_guard lock(mutex_);
        auto next = list_ ? std::make_shared<list>(*list_) : std::make_shared<list>();
        next->push_back(std::move(o));
        publish(std::move(next));
    }

    /// Stopped, and no longer in the list if there is memory for a shorter one.
    void remove(const observer& o) noexcept {
        try {
            const std::lock_guard lock(mutex_);
            auto next = std::make_shared<list>(*list_);
            std::erase(*next, o);
            publish(next->empty() ? nullptr : std::move(next));
        } catch (...) {
            // What is stopped does nothing.
        }
        o->stop();
    }

private:
    using list = std::vector<observer>;

    void publish(std::shared_ptr<const list> next) noexcept {
        list_ = std::move(next);
        any_.store(list_ != nullptr, std::memory_order_relaxed);
    }

    mutable brief_mutex mutex_;
    std::shared_ptr<const list> list_; ///< never changed, but replaced
    std::atomic<bool> any_{false};
};

} // namespace closeside::detail

#endif
