// SPDX-License-Identifier: BSL-1.0
// rule: linger = lingering::abort contradicts closes_first
#include <closeside/stream.hpp>

#ifdef BAD
constexpr closeside::close_policy policy{.closes_first = closeside::side::peer, .linger = closeside::lingering::abort};
#else
constexpr closeside::close_policy policy{.linger = closeside::lingering::abort};
#endif

static_assert(sizeof(closeside::stream<policy>) != 0);
