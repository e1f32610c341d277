// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_WAITING_CLOSES_HPP
#define CLOSESIDE_DETAIL_CLOSE_WAITING_CLOSES_HPP

#include <closeside/detail/asio/brief_mutex.hpp>
#include <closeside/detail/kernel/forks.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <limits>
#include <mutex>

#include <pthread.h>

namespace closeside::detail {

/// A close that waits. Its members belong to the holder of its context's mutex.
class waiting_close {
public:
    using clock = std::chrono::steady_clock;

    waiting_close() = default;
    waiting_close(const waiting_close&) = delete;
    waiting_close& operator=(const waiting_close&) = delete;

protected:
    ~waiting_close() = default;

private:
    friend class waiting_closes;

    /// Ends the close to make room, as on_limit says. True if the descriptor is free when this returns.
    virtual bool shed() noexcept = 0;
    /// A bound has been set, or is nearer.
    virtual void reconsider() noexcept = 0;
    virtual int watched_descriptor() noexcept = 0;

    waiting_close* previous_ = nullptr;
    waiting_close* next_ = nullptr;
    clock::time_point begun_{};
    bool listed_ = false;
    bool reserved_ = false; ///< a place under the cap, until it is listed
};

/// The closes that wait on one context, in the order in which they have begun, and those of all contexts of the process.
/** Knows no Asio, so that a program with both has one list of its contexts. */
class __attribute__((visibility("default"))) waiting_closes {
public:
    using clock = waiting_close::clock;

    static constexpr std::size_t no_cap = std::numeric_limits<std::size_t>::max();
    /// So many are shed for one connection that wants in.
    static constexpr unsigned most_shed = 32;

    waiting_closes();
    waiting_closes(const waiting_closes&) = delete;
    waiting_closes& operator=(const waiting_closes&) = delete;

    /// The context belongs to the process that this one was forked from, and nobody has taken it over.
    bool is_inherited() const noexcept { return made_at_.load(std::memory_order_relaxed) != forks(); }
    /// This process uses the context as its own: it accepts, connects, or has been told notify_fork(fork_child).
    void take_over() noexcept {
        if (is_inherited()) made_at_.store(forks(), std::memory_order_relaxed);
    }

    brief_mutex mutex;

    std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

    /// Of all contexts: sheds those that began first, `most` at most. Returns how many descriptors that has freed.
    static unsigned shed_oldest(unsigned most) noexcept;

    /// To be called before a close begins to wait, and keeps its place. False if the cap leaves no room even for it.
    static bool make_room(waiting_close& c) noexcept {
        return cap_.load(std::memory_order_relaxed) == no_cap || make_room_under_cap(c);
    }
    static void set_cap(std::size_t most) noexcept;

    /// Of one that never waits after all.
    static void give_up_place(waiting_close& c) noexcept {
        if (!c.reserved_) return;
        c.reserved_ = false;
        reserved_.fetch_sub(1, std::memory_order_relaxed);
    }

    /// With the mutex held. Nothing happens to one that is there, or not there.
    void add(waiting_close& c, clock::time_point begun) noexcept {
        if (c.listed_) return;
        c.listed_ = true;
        c.begun_ = begun;
        c.next_ = nullptr;
        c.previous_ = last_;
        (last_ != nullptr ? last_->next_ : first_) = &c;
        last_ = &c;
        count_.store(count() + 1, std::memory_order_relaxed);
        give_up_place(c);
    }
    void remove(waiting_close& c) noexcept {
        give_up_place(c);
        if (!c.listed_) return;
        c.listed_ = false;
        (c.previous_ != nullptr ? c.previous_->next_ : first_) = c.next_;
        (c.next_ != nullptr ? c.next_->previous_ : last_) = c.previous_;
        count_.store(count() - 1, std::memory_order_relaxed);
        if (first_ == nullptr) emptied();
    }

    /// With the mutex held: `f(descriptor)` for each.
    template <class Function>
    void for_each_descriptor(Function&& f) {
        for (waiting_close* c = first_; c != nullptr; c = c->next_) f(c->watched_descriptor());
    }

protected:
    ~waiting_closes();

    /// With the mutex held.
    void reconsider_all() noexcept {
        for (waiting_close* c = first_; c != nullptr; c = c->next_) c->reconsider();
    }

    /// Held by whoever looks for a context's closes from outside: it is not destroyed meanwhile.
    [[gnu::visibility("default")]] inline static brief_mutex contexts_mutex_;

private:
    /// With the mutex held, when the last close has gone.
    virtual void emptied() noexcept = 0;

    static void hold_list_at_forks() noexcept;
    static bool make_room_under_cap(waiting_close& c) noexcept;
    static bool shed_first_of_all(unsigned& freed) noexcept;

    [[gnu::visibility("default")]] inline static std::atomic<std::size_t> cap_ = no_cap;
    [[gnu::visibility("default")]] inline static std::atomic<std::size_t> reserved_ = 0; ///< places
    [[gnu::visibility("default")]] inline static waiting_closes* contexts_ = nullptr;

    waiting_close* first_ = nullptr;
    waiting_close* last_ = nullptr;
    waiting_closes* next_context_ = nullptr;
    std::atomic<std::size_t> count_ = 0; ///< written with the mutex held
    std::atomic<unsigned> made_at_;      ///< forks() of the process whose connections these are
};

inline waiting_closes::waiting_closes() : made_at_(forks()) {
    count_forks();
    hold_list_at_forks();
    const std::lock_guard lock(contexts_mutex_);
    next_context_ = contexts_;
    contexts_ = this;
}

inline waiting_closes::~waiting_closes() {
    const std::lock_guard lock(contexts_mutex_);
    waiting_closes** at = &contexts_;
    while (*at != this) at = &(*at)->next_context_;
    *at = next_context_;
}

inline void waiting_closes::set_cap(std::size_t most) noexcept { cap_.store(most, std::memory_order_relaxed); }

inline unsigned waiting_closes::shed_oldest(unsigned most) noexcept {
    const std::lock_guard lock(contexts_mutex_);
    unsigned freed = 0;
    for (unsigned n = 0; n != most && shed_first_of_all(freed); ++n) {
    }
    return freed;
}

inline bool waiting_closes::make_room_under_cap(waiting_close& c) noexcept {
    const std::lock_guard lock(contexts_mutex_);
    const std::size_t cap = cap_.load(std::memory_order_relaxed);
    if (cap == 0) return false;
    std::size_t waiting = reserved_.load(std::memory_order_relaxed);
    for (const waiting_closes* each = contexts_; each != nullptr; each = each->next_context_)
        if (!each->is_inherited()) waiting += each->count();
    unsigned freed = 0;
    for (; waiting >= cap && shed_first_of_all(freed); --waiting) {
    }
    if (waiting >= cap) return false; // others have places and are not listed yet
    c.reserved_ = true;
    reserved_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

/// Every context keeps its own in order, so the first of all is one of their firsts. False if there is none.
inline bool waiting_closes::shed_first_of_all(unsigned& freed) noexcept {
    waiting_closes* oldest = nullptr;
    clock::time_point begun = clock::time_point::max();
    for (waiting_closes* c = contexts_; c != nullptr; c = c->next_context_) {
        if (c->count() == 0 || c->is_inherited()) continue;
        const std::lock_guard lock(c->mutex);
        if (c->first_ == nullptr || c->first_->begun_ >= begun) continue;
        begun = c->first_->begun_;
        oldest = c;
    }
    if (oldest == nullptr) return false;
    const std::lock_guard lock(oldest->mutex);
    waiting_close* const first = oldest->first_;
    if (first == nullptr) return true; // it has ended by itself meanwhile
    oldest->remove(*first);
    if (first->shed()) ++freed;
    return true;
}

/// A child must not find the list held by a thread that it does not have.
inline void waiting_closes::hold_list_at_forks() noexcept {
    [[maybe_unused]] static const int held = ::pthread_atfork(
        [] { contexts_mutex_.lock(); }, [] { contexts_mutex_.unlock(); }, [] { contexts_mutex_.unlock(); });
}

} // namespace closeside::detail

#endif
