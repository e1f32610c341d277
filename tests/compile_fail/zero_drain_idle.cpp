// SPDX-License-Identifier: BSL-1.0
// rule: drain_idle = 0 would end every drain
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.drain_idle = 0s};
#else
constexpr closeside::close_policy policy{.drain_idle = 1s};
#endif

template struct closeside::policy_traits<policy>;
