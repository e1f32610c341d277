// SPDX-License-Identifier: BSL-1.0
// rule: closes_first = side::peer needs patience
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.closes_first = closeside::side::peer, .patience = 0s};
#else
constexpr closeside::close_policy policy{.closes_first = closeside::side::peer, .patience = 1ms};
#endif

template struct closeside::policy_traits<policy>;
