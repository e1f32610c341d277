// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_ENDING_HPP
#define CLOSESIDE_CHECK_FOLLOW_ENDING_HPP

#include "follow_life.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace check::follow {

/// By which word of `ended_by` a connection ended.
enum class ender : std::uint8_t { fin, reset_by_us, reset_by_peer, failed, unknown };
const char* to_string(ender e) noexcept;

enum class first_fin : std::uint8_t { none, local, peer, both, unknown };

/// Null for none, as JSON has it.
const char* to_string(first_fin f) noexcept;

/// Why, as far as it can be told.
enum class cause : std::uint8_t {
    closed_first,
    closed_first_unkept,
    closed_first_unseen,
    closed_second,
    closed_together,
    fin_wait2_time_out,
    fin_wait2_gone,
    unread_input,
    late_data,
    abort_option,
    negative_linger2,
    ack_of_fin,
    listener_queue,
    killed,
    keepalive,
    out_of_memory,
    bad_segment,
    reset,
    peer_reset_open,
    peer_reset_after_our_fin,
    peer_reset_after_our_close,
    peer_reset_after_its_fin,
    refused,
    no_answer,
    connect_failed,
    no_local_port,
    connect_given_up,
    time_out,
    fin_time_out,
    network_error,
    unexplained,
    untraced,
};
inline constexpr std::size_t cause_count = static_cast<std::size_t>(cause::untraced) + 1;

struct cause_facts {
    cause id;
    /// For labels and programs.
    std::string_view name;
    ender by;
    /// For people.
    std::string_view words;
    /// What `closeside-check explain` takes.
    std::string_view topic;
};
const cause_facts& facts(cause c) noexcept;

/// How a connection ended.
struct ending {
    life seen;
    cause why = cause::unexplained;
    first_fin fin = first_fin::unknown;
    /// When, in nanoseconds since 1970.
    std::int64_t time = 0;

    ender by() const { return facts(why).by; }
    /// In words, with the kernel's name of the reason, if it gave one.
    std::string reason() const;
};

/// Names it; `time` is left to the caller.
ending judge(const life& seen);

} // namespace check::follow

#endif
