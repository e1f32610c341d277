// SPDX-License-Identifier: BSL-1.0
#include "follow_watch.hpp"

#include "observation/socket_table.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>

#include <netinet/in.h>
#include <time.h>

namespace check::follow {

namespace {

/// Of each kind. A history takes some 200 bytes.
constexpr std::size_t most_remembered = 65536;

std::int64_t nanoseconds(clockid_t clock) {
    ::timespec t{};
    ::clock_gettime(clock, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

std::uint64_t monotonic() { return static_cast<std::uint64_t>(nanoseconds(CLOCK_MONOTONIC)); }

::sockaddr_storage socket_address(const end_point& e) {
    ::sockaddr_storage storage{};
    if (is_ipv4(e)) {
        auto* const v4 = reinterpret_cast<::sockaddr_in*>(&storage);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(e.port);
        std::memcpy(&v4->sin_addr, e.address.data() + 12, 4);
    } else {
        auto* const v6 = reinterpret_cast<::sockaddr_in6*>(&storage);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(e.port);
        std::memcpy(&v6->sin6_addr, e.address.data(), 16);
    }
    return storage;
}

} // namespace

watch::watch(const follow_options& options)
    : options_(options), table_(std::make_unique<observation::socket_table>()),
      history_(most_remembered, [this](const connection& ends) { return look_up(ends).what; }),
      lingering_(most_remembered, [this](const connection& ends) { return look_up(ends); }) {
    const std::string tracefs = find_tracefs();
    if (tracefs.empty()) {
        blind_because_ = "no tracefs is mounted here (mount -t tracefs tracefs /sys/kernel/tracing)";
        return;
    }
    try {
        trace_.emplace(tracefs, options.port);
    } catch (const std::exception& e) {
        blind_because_ = std::string("the kernel's trace cannot be used: ") + e.what();
    }
}

watch::~watch() = default;

std::vector<ending> watch::next() {
    // What is over by this look, the events that are read after it tell why.
    lingering_.look(monotonic());
    const std::uint64_t now = monotonic();
    const std::int64_t since_1970 = nanoseconds(CLOCK_REALTIME) - static_cast<std::int64_t>(now);
    read_trace(now);
    read_destroyed(now);

    std::vector<life> lives = std::exchange(untraced_, {});
    for (life& l : history_.take(now)) {
        const bool orphan = l.left == leftover::fin_wait2 && !l.reset_sent && !l.reset_taken;
        if (!wanted(l.ends) || (orphan && lingering_.add(l, now))) continue;
        if (orphan) l.left = leftover::not_looked_up;
        lives.push_back(l);
    }
    std::ranges::copy(lingering_.take(), std::back_inserter(lives));

    std::vector<ending> endings;
    for (const life& l : lives) {
        endings.push_back(judge(l));
        endings.back().time = static_cast<std::int64_t>(l.ended) + since_1970;
    }
    std::ranges::sort(endings, {}, [](const ending& e) { return std::pair(e.time, e.seen.ends); });
    return endings;
}

std::vector<ending> watch::rest() {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return next();
}

void watch::read_trace(std::uint64_t now) {
    if (!trace_) return;
    trace_->read(events_);
    std::uint64_t order = 0; // what has waited stands before what is new
    for (trace_event& e : events_) e.order = order++;
    std::ranges::sort(events_, {}, [](const trace_event& e) { return std::pair(e.time, e.order); });
    // What comes later waits: another processor may have written something earlier after we had looked at it.
    const auto later = std::ranges::find_if(events_, [&](const trace_event& e) { return e.time > now; });
    for (auto e = events_.begin(); e != later; ++e) {
        if (e->kind == event_kind::reset_sent) lingering_.on_reset(*e);
        history_.on_event(*e);
    }
    events_.erase(events_.begin(), later);
}

void watch::read_destroyed(std::uint64_t now) {
    destroyed_.clear();
    listener_.read(destroyed_);
    for (const destroyed_socket& d : destroyed_) {
        if (trace_) {
            history_.on_destroyed(d, now);
        } else if (d.ends.peer.port == 0) {
            ++nameless_;
        } else if (wanted(d.ends)) {
            untraced_.push_back({.ends = d.ends, .ended = now, .traced = false});
        }
    }
}

bool watch::wanted(const connection& ends) const {
    return (options_.port == 0 || ends.local.port == options_.port) &&
           (!options_.peer || options_.peer->contains(ends.peer));
}

looked_up watch::look_up(const connection& ends) const {
    const ::sockaddr_storage local = socket_address(ends.local), peer = socket_address(ends.peer);
    try {
        const observation::socket_entry found =
            table_->find(reinterpret_cast<const ::sockaddr*>(&local), reinterpret_cast<const ::sockaddr*>(&peer));
        const std::uint64_t left = std::uint64_t{found.timer_ms} * 1'000'000;
        if (found.state == tcp_state::time_wait) return {leftover::time_wait, left};
        if (found.state == tcp_state::fin_wait2) return {leftover::fin_wait2, left};
        return {found.state == tcp_state::unknown ? leftover::nothing : leftover::used_anew, 0};
    } catch (const std::exception&) {
        return {};
    }
}

losses watch::lost() const {
    return {.trace_records = trace_ ? trace_->lost() : 0,
            .overruns = listener_.overruns(),
            .forgotten = history_.forgotten(),
            .nameless = nameless_,
            .held = history_.held(),
            .lingering = lingering_.size()};
}

} // namespace check::follow
