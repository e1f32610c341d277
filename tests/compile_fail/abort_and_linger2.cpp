// SPDX-License-Identifier: BSL-1.0
// rule: lingering::abort leaves no FIN-WAIT-2
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger = closeside::lingering::abort, .linger2 = 10s};
#else
constexpr closeside::close_policy policy{.linger = closeside::lingering::background, .linger2 = 10s};
#endif

template struct closeside::policy_traits<policy>;
