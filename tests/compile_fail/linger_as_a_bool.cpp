// SPDX-License-Identifier: BSL-1.0
// refused: write lingering::background, lingering::abort or lingering::until_acked(5s) for linger
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger = true};
#else
constexpr closeside::close_policy policy{.linger = closeside::lingering::abort};
#endif

template struct closeside::policy_traits<policy>;
