// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_PEER_PROGRAM_HPP
#define CLOSESIDE_TESTS_MODEL_PEER_PROGRAM_HPP

#include "tcp_endpoint.hpp"

#include <cstdint>

namespace model {

/// When the peer's program closes. Everything that a script allows may happen at any moment, or never.
enum class peer_closes : std::uint8_t { on_eof, after_the_reply, after_a_chunk, at_any_moment, never };

struct peer_script {
    const char* name;
    std::uint8_t chunks = 0; ///< how many it sends at most
    std::uint32_t chunk_bytes = 1;
    peer_closes closes = peer_closes::on_eof;
    bool sends_after_reply = false; ///< and not before it has read the whole reply
    bool reads = true;
    bool half_closes = false;
    bool resets_from_start = false;
    bool resets_after_a_chunk = false;
    bool path_dies = false; ///< our kernel gives the connection up
};

struct peer_program {
    std::uint8_t chunks_sent = 0;
    std::uint8_t got = 0; ///< segments of the reply that it has read
    bool got_eof = false;
    bool half_closed = false;
    bool closed = false;
    bool has_reset = false;
    bool closed_early = false; ///< before it had read the whole reply
};

inline bool writable(const peer_program& p, const tcp_endpoint& s) {
    return !p.closed && !p.half_closed && (s.state == tcp_state::established || s.state == tcp_state::close_wait);
}

inline bool may_send(const peer_script& script, const peer_program& p, std::uint8_t reply) {
    return p.chunks_sent < script.chunks && (!script.sends_after_reply || p.got == reply);
}

inline bool may_read(const peer_script& script, const peer_program& p, const tcp_endpoint& s) {
    return script.reads && !p.closed && !p.got_eof && (s.unread(1) > 0 || s.fin_received || s.dead);
}

/// All there is; on an error it gives up.
inline void read_all(peer_program& p, tcp_endpoint& s) {
    p.got = static_cast<std::uint8_t>(p.got + s.unread(1));
    s.taken += s.unread(1);
    if (s.fin_received) {
        p.got_eof = true;
    } else if (s.dead) {
        s.orphan = true;
        p.closed = true;
    }
}

inline bool may_close(const peer_script& script, const peer_program& p, std::uint8_t reply) {
    if (p.closed) return false;
    switch (script.closes) {
    case peer_closes::on_eof: return p.got_eof;
    case peer_closes::after_the_reply: return p.got_eof || p.got == reply;
    case peer_closes::after_a_chunk: return p.got_eof || (p.got == reply && p.chunks_sent > 0);
    case peer_closes::at_any_moment: return true;
    case peer_closes::never: break;
    }
    return false;
}

inline bool may_reset(const peer_script& script, const peer_program& p) {
    return !p.closed && (script.resets_from_start || (script.resets_after_a_chunk && p.chunks_sent > 0));
}

inline void close(peer_program& p, tcp_endpoint& s, bool reset, std::uint8_t reply, channel& out) {
    p.closed = true;
    if (reset) p.has_reset = true;
    if (p.got < reply) p.closed_early = true;
    if (reset) s.linger_zero = true;
    s.close(1, out);
}

/// A reset throws away what the program has not read yet: other stacks do so, Linux would still let it read.
inline void lose_unread(tcp_endpoint& s) {
    if (s.state == tcp_state::close && s.error != 0) s.taken += s.unread(1);
}

} // namespace model

#endif
