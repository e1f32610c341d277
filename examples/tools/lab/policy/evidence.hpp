// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_EVIDENCE_HPP
#define CLOSESIDE_LAB_POLICY_EVIDENCE_HPP

#include "../support/observed.hpp"
#include "peers.hpp"

#include "observation/segment.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace lab::policy {

enum class signal : std::uint8_t {
    fin,
    reset,       ///< RST by a close or an abort of this end (with ACK)
    reset_answer ///< RST by the kernel, because a segment came that nobody wants any more (without ACK)
};

struct wire_event {
    bool from_server = false;
    signal what = signal::fin;
    std::chrono::system_clock::time_point when; ///< the epoch if states were sampled instead of segments
};

enum class holder : std::uint8_t { nobody, server, peer, both };

const char* to_string(holder h) noexcept;

/// What the kernel shows of one connection.
struct evidence {
    std::vector<wire_event> wire; ///< the first of each sort and direction, in the order of sending
    bool from_packets = false;    ///< wire was read off the segments; otherwise inferred from states and errno
    tcp_state server_at_close = tcp_state::unknown; ///< looked up as soon as the close had completed
    std::uint32_t unacknowledged_at_close = 0;      ///< the orphan's send queue at that moment
    tcp_state server_settled = tcp_state::unknown;  ///< when nothing changed any more; peers that hold on still hold on
    tcp_state peer_settled = tcp_state::unknown;
    std::vector<tcp_state> server_states; ///< sampled every millisecond, each change once
    std::vector<tcp_state> peer_states;

    /// Who sent the first FIN before any RST; empty if nobody did.
    std::optional<bool> first_fin_from_server() const;
    /// The first RST; null if there is none.
    const wire_event* first_reset() const;
    bool has(bool from_server, signal what) const;
    holder time_wait() const noexcept;
};

/// What the recorded segments say.
std::vector<wire_event> read_off(const std::vector<observation::segment>& segments, std::uint16_t server_port);

/// Without segments: what follows from sampled states that an end reaches only after a FIN, and from the peer's errno.
std::vector<wire_event> inferred_from(const evidence& sampled, const peer_view& got);

} // namespace lab::policy

#endif
