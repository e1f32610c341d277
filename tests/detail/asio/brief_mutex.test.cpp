// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/asio/brief_mutex.hpp>

#include <doctest/doctest.h>

#include <mutex>
#include <thread>
#include <vector>

using closeside::detail::brief_mutex;

TEST_CASE("a brief mutex lets one in at a time, and nobody who waits for it is forgotten") {
    constexpr int threads = 4, rounds = 20'000;
    brief_mutex mutex;
    int entered = 0; // a race, to ThreadSanitizer too, if two are in at once
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&] {
            for (int i = 0; i < rounds; ++i) {
                const std::lock_guard lock(mutex);
                ++entered;
            }
        });
    all.clear();
    CHECK(entered == threads * rounds);
}

TEST_CASE("a brief mutex that is held is not taken a second time") {
    brief_mutex mutex;
    CHECK(mutex.try_lock());
    CHECK_FALSE(mutex.try_lock());
    mutex.unlock();
    CHECK(mutex.try_lock());
    mutex.unlock();
}
