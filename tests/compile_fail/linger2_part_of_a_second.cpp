// SPDX-License-Identifier: BSL-1.0
// rule: linger2 counts whole seconds
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger2 = 2500ms};
#else
constexpr closeside::close_policy policy{.linger2 = 3s};
#endif

template struct closeside::policy_traits<policy>;
