// SPDX-License-Identifier: BSL-1.0
#include "follow_lingering.hpp"

#include <algorithm>
#include <utility>

namespace check::follow {

namespace {

constexpr std::uint64_t millisecond = 1'000'000;
constexpr std::uint64_t between_looks = 500 * millisecond;
/// The kernel's timers end late, never early; but they tell their time in ticks.
constexpr std::uint64_t slack = 100 * millisecond;
/// Each costs some microseconds; the rest waits for the next time.
constexpr std::size_t looks_at_once = 1000;
/// TIME-WAIT began with the peer's FIN, so long before its time is over.
constexpr std::uint64_t time_wait_length = 60'000 * millisecond;

std::uint64_t ended_at(const life& l, const looked_up& seen, std::uint64_t now) {
    if (seen.what != leftover::time_wait || seen.left > time_wait_length) return now;
    return std::clamp(now - (time_wait_length - seen.left), l.ended, now);
}

} // namespace

bool lingering::add(const life& l, std::uint64_t now) {
    const auto known = all_.find(l.ends);
    if (known == all_.end() && all_.size() >= most_) return false;
    // The four numbers have had another connection since: how the first one's end went on was not seen.
    if (known != all_.end()) {
        over_.push_back(known->second.seen);
        over_.back().left = leftover::not_looked_up;
    }
    all_.insert_or_assign(l.ends, one{l, 0, now});
    return true;
}

void lingering::on_reset(const trace_event& e) {
    const auto tell = [&](life& l) {
        l.reset_sent = true;
        l.kernel_reason = e.reason;
        l.ended = e.time;
    };
    if (const auto found = all_.find(e.ends); found != all_.end()) {
        tell(found->second.seen);
        found->second.next_look = e.time;
        return;
    }
    const auto over = std::ranges::find_if(
        over_, [&](const life& l) { return l.ends == e.ends && l.left == leftover::fin_wait2 && !l.reset_sent; });
    if (over == over_.end()) return;
    tell(*over);
    over->left_ran_out = false;
}

void lingering::look(std::uint64_t now) {
    std::size_t looks = 0;
    auto at = all_.upper_bound(last_looked_at_);
    for (std::size_t left = all_.size(); left != 0 && looks != looks_at_once; --left) {
        if (at == all_.end()) at = all_.begin();
        one& o = at->second;
        last_looked_at_ = at->first;
        if (o.next_look > now) {
            ++at;
            continue;
        }
        ++looks;
        const looked_up seen = look_up_(o.seen.ends);
        if (seen.what == leftover::fin_wait2) {
            // A RST for it was another namespace's connection of the same name.
            o.seen.reset_sent = false;
            o.until = now + seen.left;
            o.next_look = now + between_looks;
            ++at;
            continue;
        }
        life& l = o.seen;
        const bool answered = seen.what == leftover::time_wait || seen.what == leftover::used_anew;
        l.left = answered ? seen.what : leftover::fin_wait2;
        if (answered) l.reset_sent = false;
        l.left_ran_out = !answered && !l.reset_sent && o.until != 0 && now + slack >= o.until;
        if (!l.reset_sent) l.ended = l.left_ran_out ? std::min(o.until, now) : ended_at(l, seen, now);
        over_.push_back(l);
        at = all_.erase(at);
    }
}

std::vector<life> lingering::take() { return std::exchange(over_, {}); }

} // namespace check::follow
