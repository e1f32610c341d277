// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_INTAKE_HPP
#define CLOSESIDE_DETAIL_CLOSE_INTAKE_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/close/event.hpp>

#include <algorithm>
#include <cstdint>

namespace closeside::detail {

/// How much of the peer's input a close reads at a time, and for how much it wakes.
class close_intake {
public:
    /// The most on one wake-up, so that a flooding peer cannot hold the thread.
    static constexpr std::uint32_t quota = 256 * 1024;

    constexpr explicit close_intake(std::uint64_t most) noexcept : left_(most) {}

    constexpr void woken() noexcept { this_wake_up_ = 0; }

    /// To read, or, if no more may be discarded, to see whether there is more.
    constexpr close_action next() noexcept {
        peeks_ = left_ == 0;
        return peeks_ ? close_action{close_action::kind::peek} : close_action{close_action::kind::receive, size()};
    }
    constexpr bool peeks() const noexcept { return peeks_; }

    /// Fewer bytes than were asked for leave nothing behind.
    constexpr bool empties(std::uint64_t bytes) const noexcept { return bytes < size(); }

    constexpr void took(std::uint64_t bytes) noexcept {
        took_beyond(bytes);
        this_wake_up_ += static_cast<std::uint32_t>(bytes); // no more than the quota was asked for
        streak_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(streak_ + bytes, quota));
    }

    /// The last look asks for all that is there.
    constexpr void took_beyond(std::uint64_t bytes) noexcept {
        if (left_ != unlimited) left_ -= std::min(left_, bytes);
    }

    constexpr bool took_any() const noexcept { return this_wake_up_ != 0; } ///< on this wake-up
    constexpr bool tired() const noexcept { return this_wake_up_ >= quota; }

    /// Who has filled one quota will fill the next: to wake for all of it saves a wake-up for every few segments.
    constexpr bool flooded() const noexcept { return streak_ >= quota; }
    constexpr void thinned_out() noexcept { streak_ = 0; }
    constexpr std::uint32_t wake_for() const noexcept { return flooded() && left_ >= quota ? quota : 1; }

private:
    constexpr std::uint32_t size() const noexcept {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(left_, quota - this_wake_up_));
    }

    std::uint64_t left_;
    std::uint32_t this_wake_up_ = 0;
    std::uint32_t streak_ = 0; ///< bytes since a flood has last thinned out, a quota at most
    bool peeks_ = false;
};

} // namespace closeside::detail

#endif
