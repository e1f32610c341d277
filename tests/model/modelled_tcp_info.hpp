// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_MODELLED_TCP_INFO_HPP
#define CLOSESIDE_TESTS_MODEL_MODELLED_TCP_INFO_HPP

#include "tcp_endpoint.hpp"

#include <closeside/detail/kernel/tcp_info.hpp>

#include <algorithm>
#include <cstdint>

namespace modelled_kernel {

/// Bytes in one of our own segments.
inline constexpr std::int32_t reply_unit = 1000;

/// What TCP_INFO tells, in segments and ticks.
struct looked_up {
    std::uint8_t state, under_way, unsent, acked_ago, sent_ago, input_ago, data_acked, data_sent_and_fin_acked;
};

inline looked_up look_up(const model::tcp_endpoint& s, std::uint8_t now) {
    const auto ago = [&](std::uint8_t at) { return static_cast<std::uint8_t>(now - at); };
    const auto data = [&](std::uint8_t n) { return std::min(n, s.written); };
    return {static_cast<std::uint8_t>(s.seen()),
            static_cast<std::uint8_t>(s.sent - s.acknowledged),
            static_cast<std::uint8_t>(s.write_end() - s.sent),
            ago(s.last_ack),
            ago(s.last_sent),
            ago(s.last_input),
            data(s.acknowledged),
            static_cast<std::uint8_t>(data(s.sent) << 1 | (s.fin_acknowledged() ? 1 : 0))};
}

/// `tick`: milliseconds.
inline closeside::detail::tcp_info as_tcp_info(const looked_up& l, std::int64_t tick) {
    const auto ms = [&](std::uint8_t ticks) { return static_cast<std::uint32_t>(ticks * tick); };
    closeside::detail::tcp_info info{};
    info.state = l.state;
    info.unacked = l.under_way;
    info.notsent_bytes = static_cast<std::uint32_t>(l.unsent) * reply_unit;
    info.last_ack_recv = ms(l.acked_ago);
    info.last_data_sent = ms(l.sent_ago);
    info.last_data_recv = ms(l.input_ago);
    info.rcv_space = 14600;
    info.bytes_acked = static_cast<std::uint64_t>(l.data_acked) * reply_unit + (l.data_sent_and_fin_acked & 1u);
    info.bytes_sent = static_cast<std::uint64_t>(l.data_sent_and_fin_acked >> 1) * reply_unit;
    return info;
}

} // namespace modelled_kernel

#endif
