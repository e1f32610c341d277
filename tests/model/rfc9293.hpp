// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_RFC9293_HPP
#define CLOSESIDE_TESTS_MODEL_RFC9293_HPP

#include <closeside/detail/kernel/tcp_state.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

/// RFC 9293 from ESTABLISHED on: figure 5 of section 3.3.2, and the events of section 3.10, as a table.
/** Written from the RFC and not from the model's endpoint, which is judged by it. */
namespace model::rfc9293 {

using state = closeside::detail::tcp_state;

enum class event : std::uint8_t {
    close,            ///< the user's CLOSE, of the sending side at least (3.10.4)
    abort,            ///< the user's ABORT (3.10.5)
    user_timeout,     ///< (3.10.8)
    fin_acknowledged, ///< a segment has acknowledged our FIN (3.10.7.4, fifth)
    fin,              ///< RCV.NXT has gone over the peer's FIN (3.10.7.4, eighth)
    reset,            ///< an RST with the exact number (3.10.7.4, second)
    unread_data       ///< data for a user who has closed and reads no more (3.6.1)
};

/// What goes out for it, beside what was queued before.
enum class answer : std::uint8_t { nothing, ack, rst };

struct row {
    state from;
    event on;
    state to;
    answer sends = answer::nothing;
    /// Not in the RFC: what Linux does besides, and where.
    const char* linux_function = nullptr;
};

/// What is not here changes nothing.
inline constexpr std::array table{
    row{state::established, event::close, state::fin_wait1},
    row{state::close_wait, event::close, state::last_ack},

    row{state::established, event::abort, state::close, answer::rst},
    row{state::fin_wait1, event::abort, state::close, answer::rst},
    row{state::fin_wait2, event::abort, state::close, answer::rst},
    row{state::close_wait, event::abort, state::close, answer::rst},
    row{state::closing, event::abort, state::close},
    row{state::last_ack, event::abort, state::close},
    row{state::closing, event::abort, state::close, answer::rst, "tcp_disconnect: while something was never sent"},
    row{state::last_ack, event::abort, state::close, answer::rst, "tcp_disconnect: while something was never sent"},

    row{state::established, event::user_timeout, state::close},
    row{state::fin_wait1, event::user_timeout, state::close},
    row{state::close_wait, event::user_timeout, state::close},
    row{state::closing, event::user_timeout, state::close},
    row{state::last_ack, event::user_timeout, state::close},
    row{state::fin_wait2, event::user_timeout, state::close, answer::nothing, "tcp_time_wait: an orphan's timer"},

    row{state::fin_wait1, event::fin_acknowledged, state::fin_wait2},
    row{state::closing, event::fin_acknowledged, state::time_wait},
    row{state::last_ack, event::fin_acknowledged, state::close},

    row{state::established, event::fin, state::close_wait, answer::ack},
    row{state::fin_wait1, event::fin, state::closing, answer::ack},
    row{state::fin_wait2, event::fin, state::time_wait, answer::ack},

    row{state::established, event::reset, state::close},
    row{state::fin_wait1, event::reset, state::close},
    row{state::fin_wait2, event::reset, state::close},
    row{state::close_wait, event::reset, state::close},
    row{state::closing, event::reset, state::close},
    row{state::last_ack, event::reset, state::close},
    row{state::time_wait, event::reset, state::close},

    row{state::fin_wait1, event::unread_data, state::close, answer::rst},
    row{state::fin_wait2, event::unread_data, state::close, answer::rst},
};

/// Which rows have been met.
using rows_met = std::array<bool, table.size()>;

/// The row, if there is one; noted as met.
constexpr const row* find(state from, event on, answer sends, rows_met& met) noexcept {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (table[i].from == from && table[i].on == on && table[i].sends == sends) {
            met[i] = true;
            return &table[i];
        }
    return nullptr;
}

/// The state after an event of a segment: each has one row at most.
constexpr state after(state from, event on, rows_met& met) noexcept {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (table[i].from == from && table[i].on == on) {
            met[i] = true;
            return table[i].to;
        }
    return from;
}

} // namespace model::rfc9293

#endif
