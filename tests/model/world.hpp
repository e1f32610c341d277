// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_WORLD_HPP
#define CLOSESIDE_TESTS_MODEL_WORLD_HPP

#include "endpoint_faults.hpp"
#include "peer_program.hpp"
#include "tcp_endpoint.hpp"

#include <closeside/close_policy.hpp>
#include <closeside/report.hpp>

#include <cstdint>
#include <string>
#include <type_traits>

namespace model {

using closeside::time_wait_holder;

/// What is explored together: one policy, one peer, and how much the network may do wrong.
struct setting {
    const char* policy_name;
    closeside::close_policy policy;
    peer_script peer;
    std::int64_t tick = 1000; ///< milliseconds
    std::uint8_t reply = 1;   ///< segments of the reply that is still to be delivered when the close begins
    std::uint8_t last = 0;    ///< segments that the close is to send as the last
    std::uint8_t buffer = 6;  ///< segments that our send queue has room for
    std::uint8_t window = 6;  ///< … and the peer's receive queue
    std::uint8_t notices = 0; ///< in our error queue
    std::uint8_t losses = 0;
    std::uint8_t duplicates = 0; ///< retransmissions without a loss
    std::uint8_t slow_ticks = 0; ///< time that may pass while our thread works
    std::uint8_t late_ticks = 0; ///< … and from when it is to be woken until it is
    bool cancels = false;
    bool program_reads = false; ///< before it closes
    bool unattended = false;    ///< nobody waits for the report: what it knows must be right
    bool in_order = false;      ///< the network does not reorder: fewer interleavings, for a longer time
    endpoint_fault fault = endpoint_fault::none; ///< of both

    std::uint8_t all() const { return static_cast<std::uint8_t>(reply + last); }
};

/// What a property or an exception has to know of the past.
struct history {
    bool our_fin_first = false;
    bool reset_by_peer = false;
    bool gave_up = false;
    bool told_before = false;        ///< the program had read the error before it closed
    bool gone_in_half_close = false; ///< at the look after shutdown(2); unattended: the peer's FIN came before ours
    bool raced = false;              ///< the connection changed between the first look of the release and close(2)
    bool input_raced = false;        ///< input came between the last read and close(2)
    bool we_reset = false;           ///< at the release
    bool refused_input = false;      ///< our kernel has answered input with RST after the release
    bool forgotten = false;          ///< an abort in CLOSING or LAST-ACK, which sends nothing
    bool reset_after_release = false;
    bool peer_orphan_timed_out = false;
    bool peer_forgot = false;      ///< the peer's abort in CLOSING or LAST-ACK, which sends nothing
    bool time_wait_killed = false; ///< by an RST (RFC 1337)
};

/// Ticks that the limits run from, and what is remembered until the close has finished.
struct time_line {
    static constexpr std::uint8_t never = 0xff;

    std::uint8_t now = 0;             ///< ticks since the start
    std::uint8_t woken = 0;           ///< when our thread looked the time up
    std::uint8_t acked = 0;           ///< the last acknowledgement of more data, or room won
    std::uint8_t progress = 0;        ///< … that the close has to know of
    std::uint8_t half_closed = never; ///< our FIN
    std::uint8_t room_since = never;  ///< waits for room since then
    std::uint8_t asked = never;       ///< input was found with nothing of ours under way: the first time
    std::uint8_t deadline = 0;        ///< of the last wait
    std::uint8_t idle_wake_ups = 0;   ///< by the timer, in this phase, with nothing gained
    bool waited = false;
    bool room_over = false; ///< the time for it
    bool looked = false;
    bool all_seen = false; ///< the last look showed all of ours acknowledged
};

/// A state of the whole: our machine (by index), both endpoints, the network, the peer's program.
struct world {
    std::uint32_t machine = 0;          ///< 0: not started, or finished
    std::uint32_t taken_before = 0;     ///< ours.taken when the close began
    std::uint32_t taken_at_wake_up = 0; ///< … and when it was woken last
    std::uint32_t calls = 0;            ///< the answers that the function under way has had
    tcp_endpoint ours{};
    tcp_endpoint theirs{};
    channel to_us{};
    channel to_them{};
    peer_program peer{};
    history past{};
    time_line time{};
    std::uint8_t slow_ticks = 0;
    std::uint8_t late_ticks = 0;
    std::uint8_t losses = 0;
    std::uint8_t duplicates = 0;
    bool started = false;
    bool finished = false;
    bool at_eof = false;
    bool no_fin_yet = false; ///< as the last read showed
    bool cancelled = false;
    bool over = false; ///< a limit that ends the connection has run out
    // Of the report, once finished:
    time_wait_holder predicted = time_wait_holder::nobody;
    closeside::close_limit limit = closeside::close_limit::none;
    bool kept = true;         ///< the close has reported no error
    std::uint8_t nothing = 0; ///< in the place of padding
};
static_assert(std::has_unique_object_representations_v<world>, "states are compared and hashed as bytes");

enum class move : std::uint8_t {
    start,
    program_reads,
    call,
    readable,
    writable,
    timer,
    cancel,
    shed,
    tick,
    arrives_here,
    arrives_there,
    lost_to_us,
    lost_to_them,
    we_send,
    we_resend,
    we_probe,
    they_resend,
    peer_reads,
    peer_writes,
    peer_half_closes,
    peer_closes_socket,
    peer_resets,
    our_fin_wait2_ends,
    their_fin_wait2_ends,
    path_dies
};

struct step {
    move what;
    std::uint8_t byte = 0; ///< the segment that moved
};

inline std::string to_string(step s) {
    const std::string segment = to_string(unpacked(s.byte));
    switch (s.what) {
    case move::start: return "the close begins";
    case move::program_reads: return "the program reads, before it closes";
    case move::call: return "system call";
    case move::readable: return "wake-up: readable";
    case move::writable: return "wake-up: writable";
    case move::timer: return "wake-up: timer";
    case move::cancel: return "cancelled";
    case move::shed: return "shed";
    case move::tick: return "time passes";
    case move::arrives_here: return "arrives here: " + segment;
    case move::arrives_there: return "arrives there: " + segment;
    case move::lost_to_us: return "lost on its way here: " + segment;
    case move::lost_to_them: return "lost on its way there: " + segment;
    case move::we_send: return "we send " + segment;
    case move::we_resend: return "we send again " + segment;
    case move::we_probe: return "a probe of the closed window is acknowledged";
    case move::they_resend: return "the peer sends again " + segment;
    case move::peer_reads: return "the peer's program reads";
    case move::peer_writes: return "the peer's program writes";
    case move::peer_half_closes: return "the peer's program half-closes";
    case move::peer_closes_socket: return "the peer's program closes";
    case move::peer_resets: return "the peer's program resets";
    case move::our_fin_wait2_ends: return "our orphan's FIN-WAIT-2 runs out";
    case move::their_fin_wait2_ends: return "the peer's orphan's FIN-WAIT-2 runs out";
    case move::path_dies: return "our kernel gives the connection up";
    }
    return "?";
}

inline std::string to_string(const world& w) {
    return std::string("ours ") + to_string(w.ours.state) + " una=" + std::to_string(w.ours.acknowledged) +
           " nxt=" + std::to_string(w.ours.sent) + " rcv=" + std::to_string(w.ours.expected) + " -> " +
           to_string(w.to_them) + ", peer " + std::string(to_string(w.theirs.state)) +
           " rcv=" + std::to_string(w.theirs.expected) + " got=" + std::to_string(w.peer.got) + " -> " +
           to_string(w.to_us) + ", t=" + std::to_string(w.time.now);
}

} // namespace model

#endif
