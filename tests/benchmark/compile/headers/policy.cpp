// SPDX-License-Identifier: BSL-1.0
#include <closeside/policy.hpp>

static_assert(closeside::policy_traits<closeside::policies::graceful>::can_hold_time_wait);
