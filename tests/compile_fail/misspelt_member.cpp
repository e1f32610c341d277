// SPDX-License-Identifier: BSL-1.0
// error: linger_2
// Inherited traits would take a misspelt member in silence.
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger_2 = 10s};
#else
constexpr closeside::close_policy policy{.linger2 = 10s};
#endif

template struct closeside::policy_traits<policy>;
