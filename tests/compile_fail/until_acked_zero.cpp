// SPDX-License-Identifier: BSL-1.0
// rule: lingering::until_acked needs time
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger = closeside::lingering::until_acked(0s)};
#else
constexpr closeside::close_policy policy{.linger = closeside::lingering::until_acked(1s)};
#endif

template struct closeside::policy_traits<policy>;
