// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_POLICY_OPTION_HPP
#define CLOSESIDE_DETAIL_LISTEN_POLICY_OPTION_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/close/policy_option.hpp>
#include <closeside/detail/listen/option_view.hpp>

#include <span>
#include <stdexcept>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

inline policy_option judge(const option_view& o, const close_policy& p) noexcept {
    return judge_option(p, o.level, o.name, o.data, o.size);
}

inline void refuse_other_values(std::span<const option_view> options, const close_policy& p) {
    for (const option_view& o : options)
        if (const char* objection = judge(o, p).objection)
            throw std::invalid_argument(option_text(o) + ": " + objection);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
