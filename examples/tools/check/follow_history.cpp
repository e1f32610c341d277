// SPDX-License-Identifier: BSL-1.0
#include "follow_history.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace check::follow {

namespace {

constexpr std::uint64_t millisecond = 1'000'000, second = 1000 * millisecond;
/// The kernel sends its messages from a work queue; a message that has not come by then never does.
constexpr std::uint64_t longest_wait = 5 * second;
/// Between a RST or an error and the CLOSED that it belongs to.
constexpr std::uint64_t one_act = 10 * millisecond;
constexpr std::uint64_t emptying_a_queue = second;
constexpr std::size_t most_listeners = 64, most_told = 4096, most_lives_of_a_socket = 16;

bool waits_for_ack_of_fin(tcp_state s) {
    return s == tcp_state::fin_wait1 || s == tcp_state::closing || s == tcp_state::last_ack;
}

} // namespace

history::socket* history::find(std::uint64_t address) {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? nullptr : &*found->second;
}

history::socket& history::find_or_make(std::uint64_t address) {
    if (const auto found = by_address_.find(address); found != by_address_.end()) {
        sockets_.splice(sockets_.end(), sockets_, found->second);
        return *found->second;
    }
    if (sockets_.size() >= most_) {
        by_address_.erase(sockets_.front().address);
        sockets_.pop_front();
        ++forgotten_;
    }
    sockets_.push_back({.address = address, .current = {}, .ended = {}});
    by_address_.emplace(address, std::prev(sockets_.end()));
    return sockets_.back();
}

void history::on_event(const trace_event& e) {
    switch (e.kind) {
    case event_kind::state: on_state(e); break;
    case event_kind::reset_sent: on_reset_sent(e); break;
    case event_kind::reset_taken: {
        // It comes before CLOSED; of a connection that is open it is the first that is heard.
        socket& s = find_or_make(e.socket);
        if (!std::exchange(s.begun, true)) s.current = life{.ends = e.ends, .began = e.time};
        s.current.reset_taken = true;
        break;
    }
    case event_kind::destroyed: on_socket_gone(e); break;
    case event_kind::sent_again:
        if (socket* const s = find(e.socket)) {
            const std::uint64_t before = s->last_sent_again != 0 ? s->last_sent_again : s->current.began;
            s->gap = e.time - std::min(before, e.time);
            s->last_sent_again = e.time;
        }
        break;
    case event_kind::error_reported:
        if (errors_.size() >= most_told) errors_.clear();
        errors_[e.ends] = {e.time, e.error};
        break;
    }
}

void history::on_state(const trace_event& e) {
    if (e.before == tcp_state::listen) {
        if (listeners_.size() == most_listeners) listeners_.pop_front();
        listeners_.push_back({e.time, e.ends.local.port, e.thread});
        return;
    }
    if (e.before == tcp_state::close) return;
    socket& s = find_or_make(e.socket);
    if (!std::exchange(s.begun, true)) s.current = life{.ends = e.ends, .began = e.time};
    s.current.ends = e.ends;
    if (s.current.states.last() != e.before) s.current.states.push(e.before);
    if (e.after == tcp_state::close) {
        end(s, e);
        return;
    }
    s.current.states.push(e.after);
    if (e.after == tcp_state::fin_wait2) s.current.fin_acked = e.time;
}

void history::end(socket& s, const trace_event& e) {
    life& l = s.current;
    l.ended = e.time;
    const tcp_state last = l.states.last();
    // A RST in SYN-SENT answers a segment of somebody else; the connection goes on.
    if (s.early_reset != 0 && (e.time - s.early_reset > one_act || last == tcp_state::syn_sent)) {
        l.reset_sent = false;
        l.kernel_reason = {};
    }
    // Each wait for the acknowledgement is twice as long as the one before; only giving up comes when it is over.
    const std::uint64_t waited = e.time - std::min(s.last_sent_again, e.time);
    l.gave_up = waits_for_ack_of_fin(last) && s.last_sent_again != 0 && waited > s.gap + s.gap / 2;
    l.listener_closed = std::ranges::any_of(listeners_, [&](const closed_listener& c) {
        return c.port == l.ends.local.port && c.thread == e.thread && e.time - c.time < emptying_a_queue;
    });
    if (last == tcp_state::fin_wait2 || last == tcp_state::closing) l.left = look_up_(l.ends);
    if (s.ended.size() == most_lives_of_a_socket) {
        s.ended.erase(s.ended.begin());
        ++forgotten_;
    }
    s.ended.push_back(l);
    s.current = {};
    s.begun = false;
    s.early_reset = s.last_sent_again = s.gap = 0;
}

void history::on_reset_sent(const trace_event& e) {
    if (e.after == tcp_state::time_wait) { // the kernel's state of all mini-sockets, those in FIN-WAIT-2 too
        if (resets_of_minis_.size() >= most_told) resets_of_minis_.clear();
        resets_of_minis_[e.ends] = {e.time, e.reason};
        return;
    }
    // Listeners and requests refuse connections that have not begun.
    if (e.socket == 0 || e.after == tcp_state::listen || e.after == tcp_state::new_syn_received ||
        e.after == tcp_state::unknown)
        return;
    socket* const known = find(e.socket);
    if (known && !known->begun && !known->ended.empty()) {
        life& l = known->ended.back();
        if (std::exchange(l.reset_sent, true)) return;
        l.kernel_reason = e.reason;
        return;
    }
    socket& s = find_or_make(e.socket);
    if (!std::exchange(s.begun, true)) s.current = life{.ends = e.ends, .began = e.time};
    s.current.reset_sent = true;
    s.current.kernel_reason = e.reason;
    s.early_reset = e.time;
}

void history::on_socket_gone(const trace_event& e) {
    const auto found = by_address_.find(e.socket);
    if (found == by_address_.end()) return;
    std::vector<life> lives = std::move(found->second->ended);
    sockets_.erase(found->second);
    by_address_.erase(found);
    if (lives.empty()) return;
    if (const auto told = without_event_.find(e.cookie); told != without_event_.end()) {
        without_event_.erase(told);
        complete(std::move(lives));
        return;
    }
    if (without_message_.size() >= most_) {
        without_message_.erase(without_message_.begin());
        ++forgotten_;
    }
    without_message_[e.cookie] = {e.time, std::move(lives)};
}

void history::on_destroyed(const destroyed_socket& d, std::uint64_t now) {
    if (const auto found = without_message_.find(d.cookie); found != without_message_.end()) {
        std::vector<life> lives = std::move(found->second.lives);
        without_message_.erase(found);
        complete(std::move(lives));
        return;
    }
    if (without_event_.size() >= most_) without_event_.erase(without_event_.begin());
    without_event_[d.cookie] = now;
}

void history::complete(std::vector<life> lives) {
    for (life& l : lives) {
        add_what_has_no_socket(l);
        complete_.push_back(l);
    }
}

void history::add_what_has_no_socket(life& l) {
    if (const auto told = errors_.find(l.ends); told != errors_.end()) {
        const auto [time, error] = told->second;
        if ((time > l.ended ? time - l.ended : l.ended - time) <= one_act) l.error = error;
    }
    const auto reset = resets_of_minis_.find(l.ends);
    if (reset == resets_of_minis_.end() || l.states.last() != tcp_state::fin_wait2) return;
    // Before it was looked up, so that nothing was found.
    if (l.left == remainder::nothing && !l.reset_sent && !l.reset_taken && reset->second.time >= l.ended) {
        l.reset_sent = true;
        l.kernel_reason = reset->second.reason;
        l.ended = reset->second.time;
    }
}

std::vector<life> history::take(std::uint64_t now) {
    std::erase_if(without_message_, [&](const auto& w) { return now > w.second.since + longest_wait; });
    std::erase_if(without_event_, [&](const auto& w) { return now > w.second + longest_wait; });
    return std::exchange(complete_, {});
}

std::size_t history::held() const {
    return static_cast<std::size_t>(std::ranges::count_if(sockets_, [](const socket& s) { return !s.ended.empty(); }));
}

} // namespace check::follow
