// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_INTERPOSED_CALLS_HPP
#define CLOSESIDE_TESTS_SUPPORT_INTERPOSED_CALLS_HPP

#include <atomic>
#include <functional>

// The test program's own setsockopt, accept4 and epoll_create1, which the library calls as well: they count, they can
// fail, and they can let something happen in between.
namespace tests {

extern std::atomic<int> setsockopt_calls;
extern std::atomic<int> accept4_calls;

/// While it lives, accept4 fails with this errno, the first `times` calls or all; the connections stay queued.
class failing_accept4 {
public:
    static constexpr int always = -1;
    explicit failing_accept4(int error, int times = always);
    failing_accept4(const failing_accept4&) = delete;
    failing_accept4& operator=(const failing_accept4&) = delete;
    ~failing_accept4();
};

/// The next accept4 answers with this descriptor and takes no connection.
void accept4_answers(int descriptor);

/// Is called after the next epoll_create1.
void after_epoll_create1(std::function<void()> call);

} // namespace tests

#endif
