// SPDX-License-Identifier: BSL-1.0
#include "support/interposed_calls.hpp"

#include "support/failing_calls.hpp"

#include <cerrno>
#include <utility>

#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace tests {

std::atomic<int> setsockopt_calls{0};
std::atomic<int> accept4_calls{0};

namespace {

std::atomic<int> accept4_error{0};
std::atomic<int> accept4_failures{0};
std::atomic<int> accept4_answer{-1};
thread_local std::function<void()> epoll_create1_call;

/// The function that ours hides; under a sanitizer that is the sanitizer's.
template <class Function>
Function* hidden(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

failing_accept4::failing_accept4(int error, int times) {
    accept4_failures = times;
    accept4_error = error;
}

failing_accept4::~failing_accept4() { accept4_error = 0; }

void accept4_answers(int descriptor) { accept4_answer = descriptor; }

void after_epoll_create1(std::function<void()> call) { epoll_create1_call = std::move(call); }

} // namespace tests

extern "C" int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
    static auto* const next = tests::hidden<int(int, int, int, const void*, socklen_t)>("setsockopt");
    ++tests::setsockopt_calls;
    if (tests::call_fails("setsockopt")) return -1;
    return next(fd, level, name, value, size);
}

extern "C" int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
    static auto* const next = tests::hidden<int(int, sockaddr*, socklen_t*, int)>("accept4");
    ++tests::accept4_calls;
    if (tests::call_fails("accept4")) return -1;
    if (const int error = tests::accept4_error; error != 0 && tests::accept4_failures != 0) {
        if (tests::accept4_failures > 0) --tests::accept4_failures;
        errno = error;
        return -1;
    }
    if (const int answer = tests::accept4_answer.exchange(-1); answer >= 0) return answer;
    return next(fd, address, size, flags);
}

extern "C" int epoll_create1(int flags) noexcept {
    static auto* const next = tests::hidden<int(int)>("epoll_create1");
    const int fd = tests::call_fails("epoll_create1") ? -1 : next(flags);
    if (const auto call = std::exchange(tests::epoll_create1_call, nullptr)) call();
    return fd;
}
