// SPDX-License-Identifier: BSL-1.0
// rule: linger = lingering::abort contradicts closes_first
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.closes_first = closeside::side::peer, .linger = closeside::lingering::abort};
#else
constexpr closeside::close_policy policy{.linger = closeside::lingering::abort};
#endif

template struct closeside::policy_traits<policy>;
