// SPDX-License-Identifier: BSL-1.0
// rule: cannot be negative durations
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.drain_time = -1s};
#else
constexpr closeside::close_policy policy{.drain_time = 1s};
#endif

template struct closeside::policy_traits<policy>;
