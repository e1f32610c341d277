// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_PROPERTIES_HPP
#define CLOSESIDE_TESTS_MODEL_PROPERTIES_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace model {

enum class property : std::uint8_t {
    ends,                ///< no deadlock, no livelock, no wait that nothing can end but a limit
    one_event_an_action, ///< each action is legal where it stands; nothing follows completion
    reply_kept,          ///< no byte of the reply is lost to a peer that goes on reading, at whatever pace
    abort_only,          ///< nothing but what the policy says aborts
    time_wait,           ///< the predicted holder is right
    time_wait_side,      ///< a policy that cannot hold TIME-WAIT never does
    first_fin,
    ended_by,
    limit,           ///< not before it is over, nor exceeded by more than one wake-up
    action_at_limit, ///< an abort leaves no orphan behind
    discard_limit,
    quota,
    unacknowledged,
    last_bytes, ///< before our FIN, or said to be not sent
    cancel,     ///< a cancelled close does not wait any more
    tcp         ///< both endpoints do what RFC 9293 allows, and nothing else
};
inline constexpr std::array property_names{"ends",           "one event an action", "reply kept",    "abort only",
                                           "time_wait",      "time_wait side",      "first_fin",     "ended_by",
                                           "limit",          "action at limit",     "discard limit", "quota",
                                           "unacknowledged", "last bytes",          "cancel",        "tcp"};

/// Where a report cannot be right, since what decides happens where no system call sees it.
enum class exception : std::uint8_t {
    between_look_and_close,
    gone_inside_half_close,
    closing_unseen,
    crossed_out_of_order,
    reset_hid_the_fin,
    died_behind_the_fin,
    fin_before_ours,
    program_took_the_error,
    peer_reset_later,
    peer_orphan_timed_out,
    forgotten_connection,
    peer_forgot_connection,
    time_wait_killed
};
inline constexpr std::array exception_reasons{
    "a segment was sent or came between the last looks at the socket and close(2)",
    "the connection was gone at the look after shutdown(2), which hides whose FIN came first: unknown",
    "the FINs crossed, but CLOSING was over before anyone looked: its socket reads CLOSE like one from FIN-WAIT-2",
    "the FINs crossed, but the acknowledgement of ours overtook the peer's FIN, which hides the crossing from our "
    "kernel",
    "a reset took the peer's FIN with it before it could be read",
    "the connection died behind the peer's FIN, of which no read tells: unattended",
    "the peer's FIN came between the last read and ours: unattended",
    "the program had taken the error that told of the end: unknown",
    "the peer reset the connection after the release",
    "the peer's orphan left FIN-WAIT-2 by its timeout, before our FIN reached it",
    "an abort in CLOSING or LAST-ACK sends nothing and repairs no loss",
    "the peer's program aborted in CLOSING, of which nothing is heard",
    "an RST ended TIME-WAIT (RFC 1337)"};
inline constexpr std::size_t exceptions = exception_reasons.size();
static_assert(static_cast<std::size_t>(exception::time_wait_killed) + 1 == exceptions);
static_assert(static_cast<std::size_t>(property::tcp) + 1 == property_names.size());

struct verdict {
    std::optional<property> broken{};
    std::string detail{};
};

inline verdict broken(property p, std::string detail) { return {p, std::move(detail)}; }

} // namespace model

#endif
