// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_WAIT_HPP
#define CLOSESIDE_OBSERVATION_WAIT_HPP

#include <chrono>
#include <thread>

namespace observation {

using steady = std::chrono::steady_clock;

/// Looks every `pace` until `condition()` is true, or `limit` is over: returns whether it became true.
/** A pace of 0 looks as often as the scheduler lets it. */
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit,
                std::chrono::milliseconds pace = std::chrono::milliseconds(5)) {
    for (const auto deadline = steady::now() + limit; !condition();) {
        if (steady::now() >= deadline) return condition();
        if (pace.count() == 0)
            std::this_thread::yield();
        else
            std::this_thread::sleep_for(pace);
    }
    return true;
}

} // namespace observation

#endif
