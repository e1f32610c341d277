// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_WAIT_HPP
#define CLOSESIDE_LAB_SUPPORT_WAIT_HPP

#include <chrono>
#include <thread>

namespace lab {

using steady = std::chrono::steady_clock;

/// Looks every `pace` until `condition()` is true, or `limit` is over: returns whether it became true.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit,
                std::chrono::milliseconds pace = std::chrono::milliseconds(5)) {
    for (const auto deadline = steady::now() + limit; !condition();) {
        if (steady::now() >= deadline) return condition();
        std::this_thread::sleep_for(pace);
    }
    return true;
}

} // namespace lab

#endif
