// SPDX-License-Identifier: BSL-1.0
#include "sleep_hook.hpp"

#include "measured_part.hpp"

#include <csignal>
#include <utility>

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>

namespace benchmark_support {

namespace {

std::function<bool()> hook;

/// The function that ours hides.
template <class Function>
Function* hidden(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

void entering_epoll_wait(int epoll, int timeout) {
    if (timeout == 0 || !hook) return;
    const bool measured = measuring();
    if (measured) pause_measuring();
    bool goes_on = true;
    for (::pollfd events{epoll, POLLIN, 0}; goes_on && ::poll(&events, 1, 0) == 0;) goes_on = hook();
    if (measured && goes_on) resume_measuring();
}

} // namespace

void before_sleep(std::function<bool()> h) { hook = std::move(h); }

} // namespace benchmark_support

extern "C" int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
    static auto* const next = benchmark_support::hidden<int(int, epoll_event*, int, int)>("epoll_wait");
    benchmark_support::entering_epoll_wait(epoll, timeout);
    return next(epoll, events, most, timeout);
}

extern "C" int epoll_pwait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask) {
    static auto* const next =
        benchmark_support::hidden<int(int, epoll_event*, int, int, const sigset_t*)>("epoll_pwait");
    benchmark_support::entering_epoll_wait(epoll, timeout);
    return next(epoll, events, most, timeout, mask);
}
