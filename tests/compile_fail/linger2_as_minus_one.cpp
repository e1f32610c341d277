// SPDX-License-Identifier: BSL-1.0
// refused: fin_wait2::skip is TCP_LINGER2 = -1
#include <closeside/policy.hpp>

using namespace std::chrono_literals;

#ifdef BAD
constexpr closeside::close_policy policy{.linger2 = -1};
#else
constexpr closeside::close_policy policy{.linger2 = closeside::fin_wait2::skip};
#endif

template struct closeside::policy_traits<policy>;
