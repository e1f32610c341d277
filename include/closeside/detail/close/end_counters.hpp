// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_END_COUNTERS_HPP
#define CLOSESIDE_DETAIL_CLOSE_END_COUNTERS_HPP

#include <closeside/close_counters.hpp>
#include <closeside/detail/asio/brief_mutex.hpp>
#include <closeside/detail/close/end_observers.hpp>
#include <closeside/report.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace closeside::detail {

/// How many contexts are counted. Until one is, no close looks for counters.
[[gnu::visibility("default")]] inline std::atomic<unsigned> counted_contexts{0};

inline bool any_is_counted() noexcept { return counted_contexts.load(std::memory_order_relaxed) != 0; }

/// The counters of one context. Nobody waits for anybody, and a snapshot may fall between two of them.
class end_counters {
public:
    end_counters() noexcept { counted_contexts.fetch_add(1, std::memory_order_relaxed); }
    end_counters(const end_counters&) = delete;
    end_counters& operator=(const end_counters&) = delete;
    ~end_counters() { counted_contexts.fetch_sub(1, std::memory_order_relaxed); }

    /// Counts an end and tells of it. With no lock held, for the sake of observers.
    [[gnu::noinline]] void see(const close_report& r) noexcept {
        add(ends_[place_of(r)], 1);
        add(took_[close_counters::bucket_of(r.elapsed)], 1);
        add(took_in_all_, static_cast<std::uint64_t>(r.elapsed.count()));
        if (r.discarded != 0) add(discarded_, r.discarded);
        if (observers.any()) [[unlikely]]
            observers.tell(r);
    }

    close_counters snapshot() const noexcept {
        close_counters c;
        for (std::size_t i = 0; i < ends_.size(); ++i)
            if (const std::uint64_t n = ends_[i].load(std::memory_order_relaxed)) {
                c.limit[i % limits] += n;
                c.time_wait[i / limits % holders] += n;
                c.first_fin[i / limits / holders % senders] += n;
                c.ended_by[i / limits / holders / senders] += n;
            }
        for (std::size_t i = 0; i < took_.size(); ++i) c.took[i] = took_[i].load(std::memory_order_relaxed);
        c.took_in_all = std::chrono::microseconds(took_in_all_.load(std::memory_order_relaxed));
        c.discarded = discarded_.load(std::memory_order_relaxed);
        return c;
    }

    end_observers observers;

    /// Held by whoever asks the context for what is not in here.
    brief_mutex lifetime;
    bool context_is_gone = false;

private:
    using counter = std::atomic<std::uint64_t>;

    static constexpr unsigned endings = close_counters::by<ending>().size();
    static constexpr unsigned senders = close_counters::by<fin_sender>().size();
    static constexpr unsigned holders = close_counters::by<time_wait_holder>().size();
    static constexpr unsigned limits = decltype(close_counters::limit)().size();

    static constexpr std::size_t place_of(const close_report& r) noexcept {
        unsigned place = static_cast<unsigned>(r.ended_by) * senders + static_cast<unsigned>(r.first_fin);
        place = place * holders + static_cast<unsigned>(r.time_wait);
        return place * limits + static_cast<unsigned>(r.limit);
    }

    static void add(counter& to, std::uint64_t n) noexcept { to.fetch_add(n, std::memory_order_relaxed); }

    /// One for every combination of labels, so that each ending adds to one.
    std::array<counter, endings * senders * holders * limits> ends_{};
    std::array<counter, close_counters::buckets> took_{};
    counter took_in_all_{0}; ///< microseconds
    counter discarded_{0};
};

} // namespace closeside::detail

#endif
