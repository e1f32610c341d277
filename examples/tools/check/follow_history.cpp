// SPDX-License-Identifier: BSL-1.0
#include "follow_history.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace check::follow {

namespace {

constexpr std::uint64_t millisecond = 1'000'000, second = 1000 * millisecond;
/// The kernel sends its messages from a work queue; a message that has not come by then never does.
constexpr std::uint64_t longest_wait = 2 * second;
/// Between a RST or an error and the CLOSED that it belongs to; an orphan is destroyed before its RST is sent.
constexpr std::uint64_t one_act = 20 * millisecond;
/// Between CLOSED and the end of a socket that no program holds: nothing else is done in between.
constexpr std::uint64_t at_once = millisecond;
/// A timer that gives up waits longer.
constexpr std::uint64_t least_rto = 100 * millisecond;
constexpr std::size_t most_listeners = 64, most_told = 4096, most_lives_of_a_socket = 16;

bool waits_for_ack_of_fin(tcp_state s) {
    return s == tcp_state::fin_wait1 || s == tcp_state::closing || s == tcp_state::last_ack;
}

bool within_one_act(std::uint64_t a, std::uint64_t b) { return (a > b ? a - b : b - a) <= one_act; }

template <class Value>
void remember(std::map<connection, Value>& told, const connection& ends, Value value) {
    if (told.size() >= most_told) told.clear();
    told[ends] = value;
}

} // namespace

history::socket* history::find(std::uint64_t address) {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? nullptr : &*found->second;
}

/// The socket of the event, with a life to be told.
history::socket& history::begin(const trace_event& e) {
    if (const auto found = by_address_.find(e.socket); found != by_address_.end()) {
        sockets_.splice(sockets_.end(), sockets_, found->second);
    } else {
        if (sockets_.size() >= most_) {
            by_address_.erase(sockets_.front().address);
            sockets_.pop_front();
            ++forgotten_;
        }
        sockets_.push_back({.address = e.socket});
        by_address_.emplace(e.socket, std::prev(sockets_.end()));
    }
    socket& s = sockets_.back();
    if (!std::exchange(s.begun, true)) s.current = {.ends = e.ends, .began = e.time};
    return s;
}

void history::on_event(const trace_event& e) {
    switch (e.kind) {
    case event_kind::state: on_state(e); break;
    case event_kind::reset_sent: on_reset_sent(e); break;
    case event_kind::reset_taken: begin(e).current.reset_taken = true; break;
    case event_kind::destroyed: on_socket_gone(e); break;
    case event_kind::sent_again:
        if (socket* const s = find(e.socket)) {
            const std::uint64_t before = s->last_sent_again != 0 ? s->last_sent_again : s->current.began;
            s->gap = e.time - std::min(before, e.time);
            s->last_sent_again = e.time;
        }
        break;
    case event_kind::error_reported: remember(errors_, e.ends, {e.time, e.error}); break;
    }
}

void history::on_state(const trace_event& e) {
    if (e.before == tcp_state::listen) {
        if (listeners_.size() == most_listeners) listeners_.pop_front();
        listeners_.push_back({e.socket, e.time, e.ends.local.port, e.thread});
        return;
    }
    if (e.before == tcp_state::close || e.before == e.after) return;
    socket& s = begin(e);
    life& l = s.current;
    l.ends = e.ends;
    if (l.states.last() != e.before) l.states.push(e.before);
    if (e.after == tcp_state::close) {
        end(s, e);
        return;
    }
    l.states.push(e.after);
    if (e.after == tcp_state::fin_wait2) l.fin_acked = e.time;
}

void history::end(socket& s, const trace_event& e) {
    life& l = s.current;
    l.ended = e.time;
    const tcp_state last = l.states.last();
    if (s.early_reset != 0 && !within_one_act(e.time, s.early_reset)) {
        l.reset_sent = false;
        l.kernel_reason = {};
    }
    // Each wait for the acknowledgement is twice as long as the one before; only giving up comes when it is over.
    const std::uint64_t waited = e.time - std::min(s.last_sent_again, e.time);
    l.gave_up =
        waits_for_ack_of_fin(last) && s.last_sent_again != 0 && waited > least_rto && waited > s.gap + s.gap / 2;
    l.listener_closed = closes_with_its_listener(l, e);
    if (last == tcp_state::fin_wait2 || last == tcp_state::closing) l.left = look_up_(l.ends);
    if (s.ended.size() == most_lives_of_a_socket) {
        s.ended.erase(s.ended.begin());
        ++forgotten_;
    }
    s.ended.push_back(l);
    s.begun = false;
    s.early_reset = s.last_sent_again = s.gap = 0;
}

// close(2) of a listener: LISTEN to CLOSED, then the connections of its queue, then the listener is destroyed.
bool history::closes_with_its_listener(const life& l, const trace_event& e) const {
    return std::ranges::any_of(listeners_, [&](const closed_listener& c) {
        return c.port == l.ends.local.port && c.thread == e.thread && e.time - c.time < second;
    });
}

void history::on_reset_sent(const trace_event& e) {
    if (e.after == tcp_state::time_wait) { // the kernel's state of all mini-sockets, those in FIN-WAIT-2 too
        remember(resets_of_minis_, e.ends, {e.time, e.reason});
        return;
    }
    // Listeners and requests refuse connections that have not begun.
    // A RST in SYN-SENT answers a segment that is not of this connection, which goes on.
    if (e.socket == 0 || e.after == tcp_state::listen || e.after == tcp_state::new_syn_received ||
        e.after == tcp_state::syn_sent || e.after == tcp_state::unknown)
        return;
    const auto tell = [&](life& l) {
        if (!std::exchange(l.reset_sent, true)) l.kernel_reason = e.reason;
    };
    if (e.after == tcp_state::close) {
        socket* const known = find(e.socket);
        const auto destroyed = gone_by_address_.find(e.socket);
        if (known && !known->ended.empty())
            tell(known->ended.back());
        else if (destroyed != gone_by_address_.end() && !destroyed->second->lives.empty())
            tell(destroyed->second->lives.back());
        return;
    }
    socket& s = begin(e);
    s.current.reset_sent = false;
    tell(s.current);
    s.early_reset = e.time;
}

void history::on_socket_gone(const trace_event& e) {
    std::erase_if(listeners_, [&](const closed_listener& c) { return c.address == e.socket; });
    const auto found = by_address_.find(e.socket);
    if (found == by_address_.end()) return;
    std::vector<life> lives = std::move(found->second->ended);
    sockets_.erase(found->second);
    by_address_.erase(found);
    if (lives.empty()) return;
    lives.back().orphan = e.time - std::min(lives.back().ended, e.time) < at_once;
    if (const auto old = gone_by_cookie_.find(e.cookie); old != gone_by_cookie_.end()) forget(old->second);
    if (gone_.size() >= most_) {
        forget(gone_.begin());
        ++forgotten_;
    }
    const bool ours = messages_.erase(e.cookie) != 0;
    gone_.push_back({e.socket, e.cookie, e.time, ours, std::move(lives)});
    gone_by_address_.insert_or_assign(e.socket, std::prev(gone_.end()));
    gone_by_cookie_.insert_or_assign(e.cookie, std::prev(gone_.end()));
}

void history::on_destroyed(const destroyed_socket& d, std::uint64_t now) {
    if (const auto found = gone_by_cookie_.find(d.cookie); found != gone_by_cookie_.end()) {
        found->second->ours = true;
        return;
    }
    if (messages_.size() >= most_) messages_.erase(messages_.begin());
    messages_[d.cookie] = now;
}

void history::forget(std::list<gone>::iterator g) {
    gone_by_cookie_.erase(g->cookie);
    // The kernel may have given the address to another socket, which is gone too.
    if (const auto at = gone_by_address_.find(g->address); at != gone_by_address_.end() && at->second == g)
        gone_by_address_.erase(at);
    gone_.erase(g);
}

void history::add_what_has_no_socket(life& l) const {
    if (const auto told = errors_.find(l.ends); told != errors_.end() && within_one_act(told->second.time, l.ended))
        l.error = told->second.error;
    // A RST for a mini-socket, before that was looked up or after.
    const auto reset = resets_of_minis_.find(l.ends);
    if (reset != resets_of_minis_.end() && (l.left == leftover::nothing || l.left == leftover::fin_wait2) &&
        !l.reset_sent && !l.reset_taken && reset->second.time >= l.ended) {
        l.reset_sent = true;
        l.kernel_reason = reset->second.reason;
        l.ended = reset->second.time;
    }
}

std::vector<life> history::take(std::uint64_t now) {
    std::vector<life> complete;
    for (auto g = gone_.begin(); g != gone_.end() && now > g->time + one_act;) {
        const auto at = g++;
        if (at->ours) {
            for (life& l : at->lives) {
                add_what_has_no_socket(l);
                complete.push_back(l);
            }
        }
        if (at->ours || now > at->time + longest_wait) forget(at);
    }
    std::erase_if(messages_, [&](const auto& m) { return now > m.second + longest_wait; });
    return complete;
}

std::size_t history::held() const {
    return static_cast<std::size_t>(std::ranges::count_if(sockets_, [](const socket& s) { return !s.ended.empty(); }));
}

} // namespace check::follow
