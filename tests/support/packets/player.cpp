// SPDX-License-Identifier: BSL-1.0
#include "support/packets/player.hpp"

#include <algorithm>
#include <utility>

namespace packets {

using observation::state_name;
using observation::tcp_state;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

player::player(tun& device, const terms& t, std::uint16_t peer_port, std::function<bool()> program)
    : device_(device), terms_(t), peer_(at(t.v6 ? "2001:db8::2" : "192.0.2.2", peer_port)),
      local_(at(t.v6 ? tun::local_v6 : tun::local_v4, 0)), program_(std::move(program)) {}

player& player::operator<<(const segment& s) {
    collect(milliseconds(0));
    segment absolute = s;
    absolute.sequence += peer_isn_;
    acknowledged_before_ = acknowledged_;
    if (absolute.acknowledges) {
        acknowledged_ = *absolute.acknowledges;
        *absolute.acknowledges += kernel_isn_.value_or(0);
    }
    if (!absolute.window) absolute.window = terms_.window;
    if (!absolute.timestamp) absolute.timestamp = terms_.timestamps;
    if (absolute.timestamp && !absolute.echo) absolute.echo = kernel_timestamp_;
    note("<", s);
    device_.write(encode({peer_, local_, absolute}));
    return *this;
}

player& player::operator>>(const segment& s) {
    bool alone = false;
    take(s,
         [&](const arrival& a) { return a.repeats || (!std::exchange(alone, true) && acknowledges_alone(a.what, s)); });
    return *this;
}

player& player::skips_to(const segment& s) {
    take(s, [](const arrival&) { return true; });
    return *this;
}

template <class Passes>
void player::take(const segment& wanted, Passes passes_over) {
    const auto deadline = steady::now() + limit;
    while (true) {
        collect(milliseconds(0));
        while (!arrived_.empty()) {
            const arrival next = arrived_.front();
            arrived_.pop_front();
            if (matches(next.what, wanted)) return expected_.push_back(next.what);
            if (!passes_over(next))
                fail("expected " + to_string(wanted) + ", the kernel sent " + to_string(next.what), wanted.where);
        }
        if (steady::now() > deadline) fail("expected " + to_string(wanted) + ", the kernel sent nothing", wanted.where);
        if (!program_()) collect(milliseconds(1));
    }
}

bool player::sends(const segment& s) {
    settle();
    if (arrived_.empty() || !matches(arrived_.front().what, s)) return false;
    *this >> s;
    return true;
}

player& player::silence(std::source_location where) {
    settle();
    for (; !arrived_.empty(); arrived_.pop_front())
        if (!arrived_.front().repeats) fail("the kernel also sent " + to_string(arrived_.front().what), where);
    acknowledged_before_ = acknowledged_;
    return *this;
}

player& player::in(tcp_state s, std::source_location where) {
    settle();
    const auto deadline = steady::now() + limit;
    while (socket().state != s) {
        if (steady::now() > deadline)
            fail(std::string("expected ") + state_name(s) + ", it is in " + state_name(socket().state), where);
        if (!program_()) collect(milliseconds(1));
    }
    return *this;
}

observation::socket_entry player::socket() const {
    static const observation::socket_table table;
    return table.find(local_.get(), peer_.get());
}

void player::until(const std::function<bool()>& done, const char* what, std::source_location where) {
    const auto deadline = steady::now() + limit;
    while (!done()) {
        if (steady::now() > deadline) fail(std::string("it never came about: ") + what, where);
        if (!program_()) collect(milliseconds(1));
    }
}

std::string player::trace() const {
    std::string text;
    for (const std::string& line : trace_) text += "    " + line + "\n";
    return text;
}

void player::fail(const std::string& text, std::source_location where) const {
    throw departure(std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": " + text +
                    "\n  what passed (< to the kernel, > from it), which has the connection in " +
                    state_name(socket().state) + ":\n" + trace());
}

void player::collect(milliseconds wait) {
    while (const auto packet = device_.read(std::exchange(wait, milliseconds(0)))) {
        if (const auto number = echo_reply(*packet)) {
            answered_ = *number;
            continue;
        }
        const auto tcp = decode(*packet);
        if (!tcp || tcp->to != peer_) continue;
        local_ = tcp->from;
        const segment s = relative(tcp->tcp);
        arrived_.push_back({s, is_repeated(s)});
        note(">", s);
    }
}

void player::settle() {
    bool busy = true;
    while (busy) {
        busy = program_();
        answer_to_ping();
    }
}

void player::answer_to_ping() {
    device_.write(echo_request(at("192.0.2.2", 0), at(tun::local_v4, 0), ++pings_));
    const auto deadline = steady::now() + limit;
    while (answered_ != pings_) {
        if (steady::now() > deadline) throw departure("the kernel answers no ping");
        collect(milliseconds(1));
    }
}

bool player::is_repeated(const segment& s) const {
    const auto end = s.sequence + s.space();
    if (s.space() == 0 || static_cast<std::int32_t>(end - acknowledged_before_) <= 0) return false;
    const auto covers = [&](const segment& e) {
        return !e.is_rst && e.is_syn == s.is_syn && static_cast<std::int32_t>(e.sequence + e.space() - end) >= 0;
    };
    return std::any_of(expected_.begin(), expected_.end(), covers) ||
           std::any_of(arrived_.begin(), arrived_.end(), [&](const arrival& a) { return covers(a.what); });
}

bool player::acknowledges_alone(const segment& s, const segment& wanted) const {
    const bool said = std::any_of(expected_.begin(), expected_.end(),
                                  [&](const segment& e) { return e.acknowledges == s.acknowledges; });
    return s.space() == 0 && !s.is_rst && s.sequence == wanted.sequence && s.acknowledges == wanted.acknowledges &&
           !said;
}

void player::note(const char* arrow, const segment& s) { trace_.push_back(std::string(arrow) + " " + to_string(s)); }

segment player::relative(segment s) {
    if (!kernel_isn_ && s.is_syn) kernel_isn_ = s.sequence;
    s.is_from_zero = s.is_rst && s.acknowledges && s.sequence == 0;
    if (!s.is_from_zero) s.sequence -= kernel_isn_.value_or(0);
    if (s.acknowledges) *s.acknowledges -= peer_isn_;
    if (s.timestamp) kernel_timestamp_ = *s.timestamp;
    return s;
}

} // namespace packets
