// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_CONDUCT_HPP
#define CLOSESIDE_TESTS_MODEL_CONDUCT_HPP

#include "limits.hpp"
#include "properties.hpp"
#include "world.hpp"

#include <closeside/detail/close/machine.hpp>
#include <closeside/report.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace model {

using closeside::detail::close_action;

inline const char* name(close_action::kind a) {
    constexpr std::array names{
        "half_close", "receive", "peek",          "send",          "look",       "look_state", "look_unacknowledged",
        "close",      "abort",   "wait_readable", "wait_writable", "wait_acked", "wait_fin",   "done"};
    static_assert(names.size() == static_cast<std::size_t>(close_action::kind::done) + 1);
    return names[static_cast<std::size_t>(a)];
}

/// Is what the machine asks for legal where the connection stands?
class conduct {
public:
    conduct(const setting& s, world& w) : setting_(s), policy_(s.policy), w_(w) {}

    verdict action(const close_action& a) const {
        const bool reads = a.what == kind::receive || a.what == kind::peek || a.what == kind::wait_readable;
        if (reads && w_.at_eof) return illegal("reads beyond the end of file");
        if (a.what == kind::half_close && w_.ours.fin_written) return illegal("half-closes again");
        if (a.what == kind::half_close && lacks_last_bytes())
            return broken(property::last_bytes, "half-closes before the last bytes, with time left");
        if (a.what == kind::send && w_.ours.fin_written && !w_.ours.dead) return illegal("sends behind our FIN");
        if (a.what == kind::wait_acked && !w_.ours.fin_written)
            return illegal("waits for the acknowledgement of a FIN not sent");
        if (a.what == kind::receive && a.bytes != machine::last_look) return read(a);
        if (a.what == kind::abort && !may_abort()) return broken(property::abort_only, "aborts");
        if (a.what == kind::close && !may_close())
            return broken(property::reply_kept, "lets the connection go, with time left");
        if (a.is_call() || a.what == kind::done) return {};
        if (w_.cancelled) return broken(property::cancel, std::string("cancelled, and goes on to ") + name(a.what));
        return limits(setting_, w_).wait(a);
    }

    /// Has a limit been taken for over, between the actions `from` and `to`? Then it must be.
    verdict limit(closeside::close_limit now, closeside::close_limit before, const close_action& from,
                  const close_action& to) {
        const bool begins = looks_last(to) && !looks_last(from);
        const bool lingered = from.what == kind::wait_acked && (begins || to.releases());
        if (w_.cancelled || (lingered ? settled() && now == before : !begins)) return {};
        const limits judge(setting_, w_);
        const bool drain_follows = judge.patient() && from.what != kind::peek && policy_.drain_time.count != 0;
        if (from.what == kind::send || from.what == kind::wait_writable) w_.time.room_over = true;
        if (!drain_follows || policy_.on_limit == closeside::limit_action::abort) w_.over = true;
        if (from.what != kind::peek) return judge.over(before == closeside::close_limit::none ? now : none);
        if (discarded() >= policy_.drain_bytes) return {};
        return broken(property::discard_limit, "over after " + std::to_string(discarded()) + " bytes");
    }

private:
    using kind = close_action::kind;
    using machine = closeside::detail::close_machine;
    static constexpr auto none = closeside::close_limit::none;

    bool lacks_last_bytes() const {
        return w_.ours.written < setting_.all() && !w_.time.room_over && !w_.over && !w_.cancelled && !w_.ours.dead;
    }
    static bool looks_last(const close_action& a) { return a.what == kind::receive && a.bytes == machine::last_look; }
    /// Has our FIN been acknowledged?
    bool settled() const {
        return w_.ours.dead || w_.ours.state == tcp_state::fin_wait2 || w_.ours.state == tcp_state::close_wait;
    }
    static verdict illegal(const char* what) { return broken(property::one_event_an_action, what); }
    std::uint64_t discarded() const { return w_.ours.taken - w_.taken_before; }

    verdict read(const close_action& a) const {
        if (a.bytes == 0) return illegal("reads nothing, which looks like end of file");
        if (discarded() + a.bytes > policy_.drain_bytes)
            return broken(property::discard_limit, "asks for more than is left");
        const std::uint64_t on_this = w_.ours.taken - w_.taken_at_wake_up + a.bytes;
        if (on_this > machine::quota) return broken(property::quota, std::to_string(on_this) + " bytes on one wake-up");
        return {};
    }

    bool may_abort() const {
        return policy_.linger == closeside::lingering::abort ||
               (policy_.on_limit == closeside::limit_action::abort && (w_.over || w_.cancelled));
    }

    bool may_close() const {
        const closeside::detail::close_terms terms(policy_);
        const bool waits = terms.drains || (terms.peer_first && w_.time.half_closed == time_line::never);
        return !waits || w_.ours.fin_received || w_.ours.dead || w_.over || w_.cancelled;
    }

    const setting& setting_;
    const closeside::close_policy& policy_;
    world& w_;
};

} // namespace model

#endif
