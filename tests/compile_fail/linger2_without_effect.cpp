// SPDX-License-Identifier: BSL-1.0
// rule: linger2 has no effect here
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{
    .closes_first = closeside::side::peer, .linger2 = 10s, .on_limit = closeside::limit_action::abort};
#else
constexpr closeside::close_policy policy{.closes_first = closeside::side::peer, .linger2 = 10s};
#endif

template struct closeside::policy_traits<policy>;
