// SPDX-License-Identifier: BSL-1.0
// refused: write lingering::until_acked(5s) for the linger {true, 5}
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger = {true, 5}};
#else
constexpr closeside::close_policy policy{.linger = closeside::lingering::until_acked(5s)};
#endif

template struct closeside::policy_traits<policy>;
