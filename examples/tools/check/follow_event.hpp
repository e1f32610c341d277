// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_EVENT_HPP
#define CLOSESIDE_CHECK_FOLLOW_EVENT_HPP

#include "follow_address.hpp"
#include "follow_format.hpp"

#include <closeside/detail/kernel/tcp_state.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace check::follow {

using closeside::detail::tcp_state;

enum class event_kind : std::uint8_t {
    state,         ///< sock:inet_sock_set_state
    reset_sent,    ///< tcp:tcp_send_reset
    reset_taken,   ///< tcp:tcp_receive_reset
    destroyed,     ///< tcp:tcp_destroy_sock
    sent_again,    ///< tcp:tcp_retransmit_skb
    error_reported ///< sock:inet_sk_error_report
};

struct event_name {
    event_kind kind;
    std::string_view system, name;
    /// Without the others an ending is told in less detail.
    bool needed;
};
inline constexpr std::array event_names{
    event_name{event_kind::state, "sock", "inet_sock_set_state", true},
    event_name{event_kind::reset_sent, "tcp", "tcp_send_reset", true},
    event_name{event_kind::reset_taken, "tcp", "tcp_receive_reset", true},
    event_name{event_kind::destroyed, "tcp", "tcp_destroy_sock", true},
    event_name{event_kind::sent_again, "tcp", "tcp_retransmit_skb", false},
    event_name{event_kind::error_reported, "sock", "inet_sk_error_report", false},
};

/// One record of the trace.
struct trace_event {
    event_kind kind = event_kind::state;
    std::uint64_t time = 0;   ///< nanoseconds of CLOCK_MONOTONIC
    std::uint64_t socket = 0; ///< the kernel's address of it; 0: there is none
    std::uint64_t order = 0;  ///< in which they were read, for those of one time
    connection ends{};
    int thread = 0; ///< in whose time it happened, be it its doing or not
    tcp_state before = tcp_state::unknown,
              after = tcp_state::unknown; ///< state; of the others, `after` is the state then
    std::uint64_t cookie = 0;             ///< destroyed, reset_taken: as SO_COOKIE has it; 0: this kernel does not say
    std::string_view
        reason{};  ///< reset_sent: the kernel's name of it, which lives as long as the formats; empty: it has none
    int error = 0; ///< error_reported: errno
};

/// The formats of the events, and what a record says by them.
class event_reader {
public:
    void add(event_kind kind, event_format format) { formats_.push_back({kind, std::move(format)}); }

    /// Whether the kernel says why it sends a RST (Linux 6.10).
    bool gives_reasons() const;

    /// Nothing for what is not one of the events, not of TCP, or not well-formed.
    std::optional<trace_event> read(std::uint64_t time, bytes record) const;

private:
    struct known {
        event_kind kind;
        event_format format;
    };
    std::vector<known> formats_;
};

} // namespace check::follow

#endif
