// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_LIFE_HPP
#define CLOSESIDE_CHECK_FOLLOW_LIFE_HPP

#include "follow_address.hpp"

#include <closeside/detail/kernel/tcp_state.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace check::follow {

using closeside::detail::tcp_state;

/// The states that a connection has passed through since its end began; no way to the end has more than eight.
class state_list {
public:
    void push(tcp_state s) noexcept {
        if (size_ != states_.size()) states_[size_++] = s;
    }
    bool has(tcp_state s) const noexcept {
        for (const tcp_state one : *this)
            if (one == s) return true;
        return false;
    }
    tcp_state last() const noexcept { return size_ == 0 ? tcp_state::unknown : states_[size_ - 1u]; }
    const tcp_state* begin() const noexcept { return states_.data(); }
    const tcp_state* end() const noexcept { return states_.data() + size_; }

private:
    std::array<tcp_state, 8> states_{};
    std::uint8_t size_ = 0;
};

/// What the kernel keeps of a connection whose socket it has done away with.
enum class leftover : std::uint8_t {
    not_looked_up,
    nothing,
    time_wait,
    fin_wait2,
    used_anew ///< its four numbers are those of another connection, which they can be after TIME-WAIT only
};

/// What was seen of the end of a connection.
struct life {
    connection ends{};
    state_list states{};         ///< without the last, CLOSED
    std::uint64_t began = 0;     ///< nanoseconds of CLOCK_MONOTONIC: the first of the states that were seen to change
    std::uint64_t fin_acked = 0; ///< FIN-WAIT-2 began
    std::uint64_t ended = 0;     ///< the socket's CLOSED, or, if something was left of it, the end of that
    bool reset_sent = false;
    bool reset_taken = false;
    std::string_view kernel_reason{}; ///< of the RST that was sent; empty if the kernel gives none
    int error = 0;                    ///< errno that the program was told
    bool gave_up = false;             ///< segments were sent again until the kernel's patience was over
    bool orphan = false;              ///< no program had a descriptor any more when the socket was done away with
    bool listener_closed = false;     ///< the listener had just been closed, by the same thread
    leftover left = leftover::not_looked_up;
    bool left_ran_out = false; ///< what was left, FIN-WAIT-2, was there until its time was over
    bool traced = true;        ///< false: only that the socket is gone is known
};

} // namespace check::follow

#endif
