// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_TCP_INFO_HPP
#define CLOSESIDE_DETAIL_KERNEL_TCP_INFO_HPP

#include <cstddef>
#include <cstdint>

namespace closeside::detail {

/// What TCP_INFO fills in, as far as it is used here (struct tcp_info of linux/tcp.h, which glibc's ends before).
/** An older kernel fills in less and says how much; the rest stays zero. */
struct tcp_info {
    std::uint8_t state;
    std::uint8_t flags[7];
    std::uint32_t rto, ato, snd_mss, rcv_mss;
    std::uint32_t unacked; ///< segments under way
    std::uint32_t sacked, lost, retrans, fackets;
    std::uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv; ///< milliseconds ago
    std::uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
    std::uint32_t rcv_rtt, rcv_space;
    std::uint32_t total_retrans;
    std::uint64_t pacing_rate, max_pacing_rate;
    std::uint64_t bytes_acked; ///< Linux 4.2; counts a SYN and a FIN of ours as a byte
    std::uint64_t bytes_received;
    std::uint32_t segs_out, segs_in;
    std::uint32_t notsent_bytes; ///< Linux 4.6
    std::uint32_t min_rtt, data_segs_in, data_segs_out;
    std::uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
    std::uint32_t delivered, delivered_ce;
    std::uint64_t bytes_sent; ///< Linux 4.19
    std::uint64_t bytes_retrans;
};
static_assert(offsetof(tcp_info, total_retrans) == 100 && offsetof(tcp_info, bytes_acked) == 120 &&
              offsetof(tcp_info, notsent_bytes) == 144 && offsetof(tcp_info, bytes_retrans) == 208);

} // namespace closeside::detail

#endif
