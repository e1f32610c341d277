// SPDX-License-Identifier: BSL-1.0
#include "ending.hpp"

#include <utility>

namespace conformance {

namespace kv = kernel_view;

namespace {

/// a <= b for sequence numbers.
bool not_after(std::uint32_t a, std::uint32_t b) noexcept { return static_cast<std::int32_t>(b - a) >= 0; }

unsigned both_fins(const observation::segment& ours, const observation::segment& peers) noexcept {
    const bool ours_covers_peers = !not_after(ours.acknowledged, peers.end());
    const bool peers_covers_ours = !not_after(peers.acknowledged, ours.end());
    if (ours_covers_peers && peers_covers_ours) return end::other;
    return ours_covers_peers ? end::passive : peers_covers_ours ? end::active : end::crossed;
}

} // namespace

std::string end_text(unsigned ends) {
    static constexpr std::pair<unsigned, const char*> names[] = {
        {end::silence, "neither FIN nor RST"},
        {end::orphan, "our FIN alone"},
        {end::active, "active close"},
        {end::passive, "passive close"},
        {end::crossed, "FINs crossed"},
        {end::local_reset, "RST by us"},
        {end::fin_local_reset, "our FIN, then RST by us"},
        {end::fin_answer_reset, "our FIN, then RST as our answer"},
        {end::answer_reset, "RST as our answer"},
        {end::peer_reset, "RST by the peer"},
        {end::fin_peer_reset, "our FIN, then RST by the peer"},
        {end::other, "something else"},
    };
    std::string text;
    for (const auto& [bit, name] : names)
        if (ends & bit) text += (text.empty() ? "" : " or ") + std::string(name);
    return text;
}

wire_record wire_of(const evidence& e, const std::vector<observation::segment>& seen) noexcept {
    wire_record w;
    const auto note = [](std::optional<observation::segment>& first, const observation::segment& s) {
        if (!first) first = s;
    };
    for (const observation::segment& s : seen) {
        const bool ours = s.from.port == e.local.port() && s.to.port == e.peer.port();
        if (!ours && !(s.from.port == e.peer.port() && s.to.port == e.local.port())) continue;
        if (s.rst) {
            if (!w.our_abort && !w.our_answer && !w.peer_rst) w.our_fin_before_rst = w.our_fin.has_value();
            note(!ours ? w.peer_rst : s.ack ? w.our_abort : w.our_answer, s);
        } else {
            note(ours ? w.our_fin : w.peer_fin, s);
        }
    }
    return w;
}

bool wire_record::assassinated() const noexcept {
    if (!our_fin || !peer_fin || our_abort) return false;
    const auto after_both = [&](const std::optional<observation::segment>& rst) {
        return rst && !rst->ack && rst->when >= our_fin->when && rst->when >= peer_fin->when;
    };
    const unsigned fins = both_fins(*our_fin, *peer_fin);
    // Who closed passively has no TIME-WAIT, so nothing but a RST for what still comes.
    return (fins == end::active && after_both(peer_rst) && !our_answer) ||
           (fins == end::passive && after_both(our_answer) && !peer_rst);
}

unsigned wire_record::ending() const noexcept {
    if (assassinated()) return both_fins(*our_fin, *peer_fin);
    if (our_abort) return our_fin_before_rst ? end::fin_local_reset : end::local_reset;
    if (our_answer && peer_rst) return end::other;
    if (our_answer) return our_fin_before_rst ? end::fin_answer_reset : end::answer_reset;
    if (peer_rst) return our_fin_before_rst ? end::fin_peer_reset : end::peer_reset;
    if (our_fin && peer_fin) return both_fins(*our_fin, *peer_fin);
    if (our_fin) return end::orphan;
    return peer_fin ? end::other : end::silence;
}

bool at_rest(const evidence& e, unsigned ending) noexcept {
    const auto shows = [&](kv::tcp_state local, kv::tcp_state peer) {
        return e.local_at_end.state == local && e.peer_at_end.state == peer && e.local_at_end.inode == 0;
    };
    if (e.wire.assassinated()) return shows(kv::none, kv::none);
    switch (ending) {
    case end::silence:
        switch (e.id.peer) {
        case peer_kind::stops_reading: return shows(kv::fin_wait1, kv::established); // our FIN waits behind the data
        case peer_kind::took_timeout: return shows(kv::none, kv::established);
        case peer_kind::shared:
            return e.local_at_end.state == kv::established && e.peer_at_end.state == kv::established &&
                   e.local_at_end.inode != 0;
        // What TCP knows of a connection whose FIN is Multipath TCP's.
        case peer_kind::multipath_silent:
            return e.local_at_end.state == kv::established && e.peer_at_end.state == kv::established;
        default: return shows(kv::none, kv::none);
        }
    case end::orphan: return shows(kv::fin_wait2, kv::close_wait);
    case end::active: return shows(kv::time_wait, kv::none);
    case end::passive: return shows(kv::none, kv::time_wait);
    case end::crossed: return shows(kv::time_wait, kv::time_wait);
    case end::other: return false;
    default: return shows(kv::none, kv::none);
    }
}

namespace {

/// When nobody waits any more: by a cancellation, or because the way out does not wait.
enum class cut { no, at_once, mid_way };

bool is_drop(way_out w) noexcept {
    return w == way_out::destructor || w == way_out::move_assignment || w == way_out::coroutine_throws ||
           w == way_out::scope_throws || w == way_out::context_gone;
}

cut cut_of(way_out w, const cs::close_policy& p) noexcept {
    if (cuts_mid_way(w)) return cut::mid_way;
    if (w == way_out::context_gone || (is_drop(w) && p.on_destroy == cs::destroy_action::close)) return cut::at_once;
    return cut::no;
}

/// close(2) without more ado.
unsigned plain_close(peer_kind peer, bool skips_fin_wait2) noexcept {
    const unsigned left_alone = skips_fin_wait2 ? end::fin_answer_reset : end::orphan;
    switch (peer) {
    case peer_kind::closes_on_eof:
    case peer_kind::shut_rd:
    case peer_kind::shut_rd_later: return skips_fin_wait2 ? end::fin_answer_reset : end::active;
    case peer_kind::our_fin_alone: return skips_fin_wait2 ? end::fin_local_reset : end::orphan;
    case peer_kind::shut_both_later: return skips_fin_wait2 ? end::fin_local_reset : end::active;
    case peer_kind::shared: return end::silence;
    case peer_kind::asks_later:
    case peer_kind::goodbye: return end::fin_answer_reset; // what comes after close(2)
    case peer_kind::closes_first: return end::passive;
    // Whose FIN is first is the race that this peer is made for.
    case peer_kind::simultaneous:
        return end::passive | end::crossed | (skips_fin_wait2 ? end::fin_answer_reset : end::active);
    case peer_kind::floods:
    case peer_kind::trickles:
    case peer_kind::shut_rd_trickles:
    case peer_kind::pipelined:
    case peer_kind::urgent:
    case peer_kind::reads_slowly:
    case peer_kind::half_closes_first: return end::local_reset; // unread input
    case peer_kind::resets_mid_drain: return skips_fin_wait2 ? end::fin_answer_reset : end::fin_peer_reset;
    case peer_kind::stops_reading: return end::silence;
    default: return left_alone;
    }
}

/// The receive queue emptied, then close(2), with our FIN out: a flood may have something in the queue again.
constexpr unsigned emptied_with_fin_out = end::fin_local_reset | end::fin_answer_reset;

/// Our FIN waits behind the reply, and close(2) has been called: the kernel answers what the peer sends on with RST.
/** Nothing but waiting would have kept it from that, and nobody waits any more. */
constexpr unsigned sends_into_orphan(bool aborts) noexcept { return aborts ? end::local_reset : end::answer_reset; }

/// Our FIN at once, then draining.
unsigned local_first(peer_kind peer, cut c, bool aborts) noexcept {
    switch (peer) {
    case peer_kind::closes_first:
    case peer_kind::half_closes_first: return end::passive;
    case peer_kind::closes_on_eof:
    case peer_kind::pipelined:
    case peer_kind::urgent:
    case peer_kind::shared:
    case peer_kind::shut_rd:
    case peer_kind::shut_rd_later:
        // At once: the peer may or may not have got as far as its FIN when the receive queue is looked at last.
        return c == cut::at_once && aborts ? end::active | end::fin_local_reset : end::active;
    case peer_kind::shut_both_later: return c != cut::no && aborts ? end::fin_local_reset : end::active;
    case peer_kind::shut_rd_trickles:
        // Data behind our FIN is answered with RST by the kernel, since reading is shut down.
        return c == cut::at_once && aborts ? end::fin_answer_reset | end::fin_local_reset : end::fin_answer_reset;
    case peer_kind::asks_later:
    case peer_kind::goodbye:
        if (c == cut::no) return end::active;
        return aborts ? end::fin_local_reset : end::fin_answer_reset;
    case peer_kind::simultaneous:
        return end::active | end::passive | end::crossed | (c == cut::at_once && aborts ? end::fin_local_reset : 0u);
    case peer_kind::floods: return aborts ? end::fin_local_reset : emptied_with_fin_out;
    case peer_kind::trickles: return aborts ? end::fin_local_reset : end::fin_answer_reset;
    case peer_kind::resets_mid_drain: return c != cut::no && aborts ? end::fin_local_reset : end::fin_peer_reset;
    case peer_kind::stops_reading: return aborts ? end::local_reset : end::silence;
    case peer_kind::reads_slowly: return c == cut::no ? end::active : sends_into_orphan(aborts);
    default: return aborts ? end::fin_local_reset : end::orphan;
    }
}

/// The peer's FIN, for as long as patience lasts; then ours, and the drain.
unsigned peer_first(peer_kind peer, cut c, bool aborts, bool bounded) noexcept {
    switch (peer) {
    case peer_kind::closes_first:
    case peer_kind::half_closes_first: return end::passive;
    case peer_kind::closes_on_eof:
    case peer_kind::urgent:
    case peer_kind::shut_rd: return aborts ? end::local_reset : end::active;
    case peer_kind::shared:
        // close(2) does nothing to a socket that others hold; shutdown(2) and an abort do.
        return aborts ? end::local_reset : c == cut::no ? end::active : end::silence;
    case peer_kind::pipelined:
    case peer_kind::shut_rd_later:
        if (c == cut::no) return end::passive;
        return aborts ? end::local_reset : end::active;
    case peer_kind::asks_later:
        if (aborts) return end::local_reset;
        return c == cut::no ? end::active : end::fin_answer_reset;
    case peer_kind::goodbye:
        if (c == cut::no) return end::passive;
        return aborts ? end::local_reset : end::fin_answer_reset;
    case peer_kind::shut_both_later: return c != cut::no && aborts ? end::fin_local_reset : end::active;
    case peer_kind::our_fin_alone: return aborts ? end::fin_local_reset : end::orphan;
    case peer_kind::simultaneous:
        // At once: the peer's FIN may or may not be there when the receive queue is looked at last.
        if (c != cut::at_once) return end::passive;
        return aborts ? end::passive | end::local_reset : end::passive | end::active | end::crossed;
    case peer_kind::floods:
        if (aborts) return end::local_reset;
        // Nobody waits, or drain_bytes are over before our FIN: close(2) sends it, or RST if there is input again.
        return c != cut::no || bounded ? end::local_reset | end::fin_answer_reset : emptied_with_fin_out;
    case peer_kind::trickles:
    case peer_kind::shut_rd_trickles: return aborts ? end::local_reset : end::fin_answer_reset;
    case peer_kind::resets_mid_drain:
        if (c == cut::no) return end::peer_reset;
        return aborts ? end::local_reset : end::fin_peer_reset;
    case peer_kind::stops_reading: return aborts ? end::local_reset : end::silence;
    // With all of the reply acknowledged its input is one too many.
    case peer_kind::reads_slowly: return c == cut::no && !aborts ? end::active : sends_into_orphan(aborts);
    default: return aborts ? end::local_reset : end::orphan;
    }
}

/// What has ended already ends no other way; 0 if it has not.
unsigned ended_before(peer_kind peer) noexcept {
    switch (peer) {
    case peer_kind::resets_at_once:
    case peer_kind::took_reset:
    case peer_kind::multipath_took_reset:
    case peer_kind::refused:
    case peer_kind::fin_data_reset: return end::peer_reset;
    case peer_kind::our_fin_before: return end::active;
    case peer_kind::our_fin_after: return end::passive;
    case peer_kind::fins_crossed: return end::crossed;
    case peer_kind::took_timeout:
    case peer_kind::connecting:
    case peer_kind::unconnected: return end::silence;
    default: return 0;
    }
}

/// RST from this side, whatever the peer does.
unsigned abort_of(const cell_id& id) noexcept {
    const bool fin_out = id.peer == peer_kind::our_fin_alone || id.peer == peer_kind::shut_both_later;
    // A stream whose type aborts has SO_LINGER on its socket and leaves it to close(2).
    const bool by_close = id.policy.linger == cs::lingering::abort && id.way != way_out::plain_socket;
    if (id.peer == peer_kind::shared && by_close) return end::silence;
    return fin_out ? end::fin_local_reset : end::local_reset;
}

/// The FINs of TCP come when those of Multipath TCP are through, from both sides at the same time.
unsigned promised_on_tcp(cell_id id) noexcept {
    switch (id.peer) {
    case peer_kind::multipath_closes_on_eof: id.peer = peer_kind::closes_on_eof; break;
    case peer_kind::multipath_closes_first: id.peer = peer_kind::closes_first; break;
    default: id.peer = peer_kind::silent;
    }
    const unsigned tcp = promised(id);
    const unsigned orderly = end::active | end::passive | end::crossed;
    return (tcp & orderly ? orderly : 0) | (tcp & end::orphan ? end::silence : 0) |
           (tcp & (end::local_reset | end::fin_local_reset) ? end::local_reset : 0);
}

} // namespace

unsigned promised(const cell_id& id) noexcept {
    const cs::close_policy& p = id.policy;
    if (const unsigned before = ended_before(id.peer)) return before;
    if (is_multipath(id.peer)) return promised_on_tcp(id);
    // Nobody's policy: a listener that goes resets what is in its backlog (inet_csk_listen_stop).
    if (id.way == way_out::nobody_took) return end::local_reset;
    if (p.linger == cs::lingering::abort || id.way == way_out::abort) return abort_of(id);
    if (is_drop(id.way) && p.on_destroy == cs::destroy_action::abort) return abort_of(id);

    const bool local = p.closes_first == cs::side::local;
    const bool waits = p.drain_time.count != 0 || p.linger.how == cs::lingering::mode::until_acked;
    if (local && !waits) return plain_close(id.peer, p.linger2 == cs::fin_wait2::skip);
    const bool closes_whatever = is_drop(id.way) && p.on_destroy == cs::destroy_action::close;
    const bool limit_aborts = !closes_whatever && p.on_limit == cs::limit_action::abort;
    const cut c = cut_of(id.way, p);
    return local ? local_first(id.peer, c, limit_aborts)
                 : peer_first(id.peer, c, limit_aborts, p.drain_bytes != cs::unlimited);
}

bool waits_for_reader(const cell_id& id) noexcept {
    const cs::close_policy& p = id.policy;
    const bool aborts = p.linger == cs::lingering::abort || id.way == way_out::abort ||
                        (is_drop(id.way) && p.on_destroy == cs::destroy_action::abort);
    const bool at_once = p.closes_first == cs::side::local && p.drain_time.count == 0;
    return !aborts && !at_once && cut_of(id.way, p) == cut::no;
}

} // namespace conformance
