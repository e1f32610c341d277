// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_POLICY_TEXT_HPP
#define CLOSESIDE_DETAIL_POLICY_TEXT_HPP

#include <closeside/close_policy.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace closeside::detail {

inline std::string duration_text(close_duration d) {
    if (d.count == std::numeric_limits<std::int64_t>::max()) return "for_ever";
    return d.count % 1000 == 0 ? std::to_string(d.count / 1000) + "s" : std::to_string(d.count) + "ms";
}

inline std::string policy_text(const close_policy& p) {
    std::string text = p.closes_first == side::local ? "closes_first=local" : "closes_first=peer";
    text += " patience=" + duration_text(p.patience);
    text += p.linger.how == lingering::mode::background ? " linger=background"
            : p.linger.how == lingering::mode::abort    ? std::string(" linger=abort")
                                                        : " linger=until_acked(" + duration_text(p.linger.time) + ")";
    text += p.linger2.how == fin_wait2::mode::system ? " linger2=system"
            : p.linger2.how == fin_wait2::mode::skip ? std::string(" linger2=skip")
                                                     : " linger2=" + duration_text(p.linger2.time);
    text += p.reuse_address ? " reuse_address=on" : " reuse_address=off";
    text += " drain_time=" + duration_text(p.drain_time);
    text += " drain_idle=" + duration_text(p.drain_idle);
    text += " drain_bytes=" + (p.drain_bytes == unlimited ? "unlimited" : std::to_string(p.drain_bytes));
    text += p.on_limit == limit_action::close ? " on_limit=close" : " on_limit=abort";
    text += p.on_destroy == destroy_action::finish  ? " on_destroy=finish"
            : p.on_destroy == destroy_action::close ? " on_destroy=close"
                                                    : " on_destroy=abort";
    return text;
}

} // namespace closeside::detail

#endif
