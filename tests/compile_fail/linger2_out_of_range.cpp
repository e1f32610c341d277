// SPDX-License-Identifier: BSL-1.0
// rule: linger2 must lie within 1 s and 60 s
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger2 = 61s};
#else
constexpr closeside::close_policy policy{.linger2 = 60s};
#endif

template struct closeside::policy_traits<policy>;
