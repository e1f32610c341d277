// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_PEER_STEPS_HPP
#define CLOSESIDE_TESTS_MODEL_PEER_STEPS_HPP

#include "peer_program.hpp"
#include "world.hpp"

namespace model {

/// What the peer's host may do next on its own; calls peer(move, what it does to the world) for each.
template <class Step>
void peer_steps(const setting& s, const world& w, Step&& peer) {
    const peer_script& script = s.peer;
    if (w.theirs.orphan && w.theirs.state == tcp_state::fin_wait2)
        peer(move::their_fin_wait2_ends, [](world& n) {
            n.theirs.state = tcp_state::close;
            n.past.peer_orphan_timed_out = true;
        });
    if (may_read(script, w.peer, w.theirs)) peer(move::peer_reads, [](world& n) { read_all(n.peer, n.theirs); });
    const auto reply = s.all();
    if (writable(w.peer, w.theirs)) {
        if (may_send(script, w.peer, reply))
            peer(move::peer_writes, [](world& n) {
                ++n.theirs.written;
                ++n.peer.chunks_sent;
            });
        if (script.half_closes)
            peer(move::peer_half_closes, [](world& n) {
                n.theirs.half_close();
                n.peer.half_closed = true;
            });
    }
    if (may_close(script, w.peer, reply))
        peer(move::peer_closes_socket, [=](world& n) { close(n.peer, n.theirs, false, reply, n.to_us); });
    if (may_reset(script, w.peer))
        peer(move::peer_resets, [=](world& n) {
            const tcp_state was = n.theirs.state;
            close(n.peer, n.theirs, true, reply, n.to_us);
            n.past.peer_forgot = was == tcp_state::closing || was == tcp_state::last_ack;
        });
}

} // namespace model

#endif
