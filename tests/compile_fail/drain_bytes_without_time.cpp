// SPDX-License-Identifier: BSL-1.0
// rule: drain_time = 0 contradicts drain_bytes
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.drain_time = 0s, .drain_bytes = 1024};
#else
constexpr closeside::close_policy policy{.drain_time = 0s};
#endif

template struct closeside::policy_traits<policy>;
