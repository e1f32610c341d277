// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_POLICY_OPTION_HPP
#define CLOSESIDE_DETAIL_LISTEN_POLICY_OPTION_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/close/apply_policy.hpp>
#include <closeside/detail/listen/option_rules.hpp>
#include <closeside/detail/listen/option_view.hpp>

#include <cstring>
#include <span>
#include <stdexcept>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Of an option that broken_option_rule() names: is its value the policy's?
/** Asio's linger(true, n) stands for until_acked of so many seconds, too. */
inline bool has_policy_value(const option_view& o, const close_policy& p) noexcept {
    if (o.level == SOL_SOCKET && o.name == SO_LINGER) {
        ::linger value{};
        if (o.size < sizeof value) return false;
        std::memcpy(&value, o.data, sizeof value);
        if (p.linger == lingering::abort) return value.l_onoff != 0 && value.l_linger == 0;
        return value.l_onoff == 0 || (p.linger.how == lingering::mode::until_acked && value.l_linger > 0 &&
                                      p.linger.time.count / 1000 == value.l_linger);
    }
    int value = 0;
    if (o.size < sizeof value) return false;
    std::memcpy(&value, o.data, sizeof value);
    if (o.level == SOL_SOCKET) return (value != 0) == p.reuse_address;
    return value == linger2_value(p.linger2);
}

/// What an option is to the policy: nothing, set already, or refused with a sentence.
struct option_verdict {
    bool is_set = false;
    const char* refusal = nullptr;
};

inline option_verdict judge(const option_view& o, const close_policy& p) noexcept {
    const char* const rule = broken_option_rule(o.level, o.name);
    if (rule == nullptr) return {};
    return has_policy_value(o, p) ? option_verdict{.is_set = true} : option_verdict{.refusal = rule};
}

inline void refuse_policy_options(std::span<const option_view> options, const close_policy& p) {
    for (const option_view& o : options)
        if (const char* rule = judge(o, p).refusal) throw std::invalid_argument(option_text(o) + ": " + rule);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
