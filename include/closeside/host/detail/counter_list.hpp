// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_COUNTER_LIST_HPP
#define CLOSESIDE_HOST_DETAIL_COUNTER_LIST_HPP

#include <closeside/host/counter.hpp>

#include <array>
#include <cstddef>
#include <initializer_list>

namespace closeside::host::detail {

/// A few counters, as a value that a rule can hold.
class counter_list {
public:
    constexpr counter_list() = default;
    /// At most four; more do not compile if the list is a constant.
    constexpr counter_list(std::initializer_list<counter> counters) {
        for (const counter c : counters) counters_.at(size_++) = c;
    }

    constexpr const counter* begin() const noexcept { return counters_.data(); }
    constexpr const counter* end() const noexcept { return counters_.data() + size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }

private:
    std::array<counter, 4> counters_{};
    std::size_t size_ = 0;
};

} // namespace closeside::host::detail

#endif
