// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_MAX_WAITING_CLOSES_HPP
#define CLOSESIDE_MAX_WAITING_CLOSES_HPP

#include <closeside/detail/close/waiting_closes.hpp>

#include <cstddef>

namespace closeside {

/// For set_max_waiting_closes: no cap.
inline constexpr std::size_t unlimited_closes = detail::waiting_closes::no_cap;

/// No more closes than so many wait at a time, in all contexts of this process; `unlimited_closes` at first.
/** A close that waits holds a descriptor. One that would be too many sheds those that began first, attended or not,
 *  blocking ones too: each does at once what its on_limit says (limit_action::close: the receive queue is emptied, then
 *  close(2); abort: RST) and completes with error::cancelled and close_limit::shed. With 0 none waits. A lower number
 *  than wait already is kept to when the next close begins to wait.
 *
 *  Without a cap too, an acceptor that is told EMFILE or ENFILE sheds up to 32 before it tries again.
 *  @par Thread safety  Safe. */
inline void set_max_waiting_closes(std::size_t most) noexcept { detail::waiting_closes::set_cap(most); }

} // namespace closeside

#endif
