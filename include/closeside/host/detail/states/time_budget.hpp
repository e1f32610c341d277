// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_TIME_BUDGET_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_TIME_BUDGET_HPP

#include <algorithm>
#include <chrono>

namespace closeside::host::detail {

/// Runs from its construction on.
class time_budget {
    using clock = std::chrono::steady_clock;

public:
    /// More than a day is a day, which keeps every sum of times in range.
    explicit time_budget(std::chrono::milliseconds limit) noexcept
        : limit_(std::clamp<std::chrono::milliseconds>(limit, std::chrono::milliseconds(0), std::chrono::hours(24))) {}

    clock::duration elapsed() const noexcept { return clock::now() - start_; }
    bool over() const noexcept { return elapsed() >= limit_; }

    /// In whole milliseconds and rounded up, as poll(2) takes it.
    int left() const noexcept {
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(limit_ - elapsed());
        return static_cast<int>(std::max<std::chrono::milliseconds::rep>(rest.count(), 0));
    }

private:
    clock::time_point start_ = clock::now();
    clock::duration limit_;
};

} // namespace closeside::host::detail

#endif
