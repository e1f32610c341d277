// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RETRY_TIME_HPP
#define CLOSESIDE_HOST_DETAIL_RETRY_TIME_HPP

#include <algorithm>
#include <cstdint>

namespace closeside::host::detail {

/// TCP_RTO_MAX in milliseconds: the longest wait between two retransmissions, and the default of tcp_rto_max_ms.
inline constexpr std::int64_t longest_rto_ms = 120'000;
/// TCP_RTO_MIN in milliseconds: what the kernel reckons with for a connection, whatever its round-trip time.
inline constexpr std::int64_t shortest_rto_ms = 200;
/// TCP_TIMEOUT_INIT in milliseconds: what a SYN waits for at first.
inline constexpr std::int64_t first_syn_rto_ms = 1000;

/// How long TCP sends one segment again before it gives the connection up, in milliseconds.
/** The kernel turns a number of retries, as in tcp_retries2 and tcp_orphan_retries, into a time: that of as many
 *  retransmissions with waits that double from `first_ms` to `longest_ms`, and one more wait (tcp_model_timeout).
 *  @param retries    clamped to 0–255, which is what the keys take.
 *  @param longest_ms clamped to 1–120000: tcp_rto_max_ms takes no more. */
constexpr std::int64_t retry_time_ms(std::int64_t retries, std::int64_t first_ms = shortest_rto_ms,
                                     std::int64_t longest_ms = longest_rto_ms) noexcept {
    const std::int64_t longest = std::clamp<std::int64_t>(longest_ms, 1, longest_rto_ms);
    std::int64_t wait = std::min(first_ms, longest), total = 0;
    for (std::int64_t left = std::clamp<std::int64_t>(retries, 0, 255) + 1; left != 0; --left) {
        total += wait;
        wait = std::min(2 * wait, longest);
    }
    return total;
}

} // namespace closeside::host::detail

#endif
