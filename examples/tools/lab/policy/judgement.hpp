// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_JUDGEMENT_HPP
#define CLOSESIDE_LAB_POLICY_JUDGEMENT_HPP

#include "cell.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lab::policy {

/// Where the close_report differs from the kernel, one sentence each. Empty also if there is no report.
std::vector<std::string> disagreements(const cell& c, const settings& lab);

/// Which promises of its policy the cell broke, one sentence each; the sentences of promise_of().
/** `plain` is plain Asio's close() against the same peer, or null if that cell was not run. */
std::vector<std::string> broken_promises(const cell& c, const settings& lab, const cell* plain);

/// What the policy promises, for the legend; empty for plain Asio, which promises nothing.
const char* promise_of(server_kind s) noexcept;

enum class loss : std::uint8_t {
    reply_truncated, ///< although the peer read on and the code did not ask for an abort
    linger_undone,   ///< SO_LINGER {1,0} was asked for, a FIN came
    thread_held      ///< the closing call slept
};

const char* to_string(loss l) noexcept;

/// How the ending hurts, whoever promised what.
std::vector<loss> losses(const cell& c, const settings& lab);

/// A loss that plain Asio is known for, and whether it showed in this cell.
struct known_loss {
    const char* what = nullptr; ///< null: nothing is known of this pair
    bool reproduced = false;
};

known_loss known_loss_of(const cell& c, const settings& lab);

} // namespace lab::policy

#endif
