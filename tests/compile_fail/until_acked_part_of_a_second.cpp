// SPDX-License-Identifier: BSL-1.0
// rule: lingering::until_acked counts whole seconds
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger = closeside::lingering::until_acked(1500ms)};
#else
constexpr closeside::close_policy policy{.linger = closeside::lingering::until_acked(2s)};
#endif

template struct closeside::policy_traits<policy>;
