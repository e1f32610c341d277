// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_ENDPOINT_FAULTS_HPP
#define CLOSESIDE_TESTS_MODEL_ENDPOINT_FAULTS_HPP

#include "tcp_endpoint.hpp"

#include <cstddef>
#include <cstdint>

namespace model {

/// An endpoint that is no TCP, in one thing: what the refinement must notice.
enum class endpoint_fault : std::uint8_t {
    none,
    passes_over_closing,     ///< FINs that cross lead to TIME-WAIT at once
    time_waits_in_last_ack,  ///< the ACK of the second FIN leads to TIME-WAIT
    takes_a_fin_behind_gap,  ///< the peer's FIN counts before the data in front of it is there
    takes_any_reset,         ///< an RST that is not exact ends the connection
    forgets_to_acknowledge,  ///< text is taken without a word
    acknowledges_too_much,   ///< … is acknowledged with one number more
    believes_a_future_ack,   ///< SND.UNA goes to SND.NXT, whatever a segment acknowledges
    answers_acks_with_resets ///< in CLOSE-WAIT
};

/// What the fault makes of the arrival of `s`, which has led from `was` to `is`.
inline void spoil(endpoint_fault f, const tcp_endpoint& was, tcp_endpoint& is, segment s, channel& out) {
    const auto drop_ack = [&] {
        for (std::size_t i = out.size(); i-- > 0;)
            if (out[i].what == flag::ack && out[i].ack == is.expected) out.take(i);
    };
    const bool took_text = is.expected != was.expected;
    switch (f) {
    case endpoint_fault::none: break;
    case endpoint_fault::passes_over_closing:
        if (was.state == tcp_state::fin_wait1 && is.state == tcp_state::closing) is.state = tcp_state::time_wait;
        break;
    case endpoint_fault::time_waits_in_last_ack:
        if (was.state == tcp_state::last_ack && is.state == tcp_state::close && s.what != flag::rst)
            is.state = tcp_state::time_wait;
        break;
    case endpoint_fault::takes_a_fin_behind_gap:
        if (s.what == flag::fin && s.number > was.expected && was.state == tcp_state::established)
            is.state = tcp_state::close_wait;
        break;
    case endpoint_fault::takes_any_reset:
        if (s.what == flag::rst && s.number > was.expected) is.end(tcp_state::close);
        break;
    case endpoint_fault::forgets_to_acknowledge:
        if (took_text) drop_ack();
        break;
    case endpoint_fault::acknowledges_too_much:
        if (took_text) {
            drop_ack();
            out.put({flag::ack, 0, static_cast<std::uint8_t>(is.expected + 1)});
        }
        break;
    case endpoint_fault::believes_a_future_ack:
        if (s.what == flag::ack && is.state == was.state) is.acknowledged = is.sent;
        break;
    case endpoint_fault::answers_acks_with_resets:
        if (s.what == flag::ack && was.state == tcp_state::close_wait) out.put({flag::rst, s.ack, 0});
        break;
    }
}

} // namespace model

#endif
