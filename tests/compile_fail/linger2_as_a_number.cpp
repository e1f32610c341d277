// SPDX-License-Identifier: BSL-1.0
// refused: write linger2 with its unit, as 10s
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger2 = 10};
#else
constexpr closeside::close_policy policy{.linger2 = 10s};
#endif

template struct closeside::policy_traits<policy>;
