// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUPPORT_SLEEP_HOOK_HPP
#define CLOSESIDE_BENCHMARK_SUPPORT_SLEEP_HOOK_HPP

#include <functional>

namespace benchmark_support {

/// What this program does whenever its event loop has nothing left to do and is about to sleep in epoll_wait.
/** So the peers act exactly when everything that the program can do without them is done, in every library. The hook is
 *  called until there is something to wake up for, or until it returns false: nothing is then measured any more. */
void before_sleep(std::function<bool()> hook);

} // namespace benchmark_support

#endif
