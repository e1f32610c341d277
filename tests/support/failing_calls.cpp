// SPDX-License-Identifier: BSL-1.0
#include "support/failing_calls.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstddef>

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

namespace tests {
namespace {

thread_local int left = -1; // negative: none fails
thread_local int error = 0;
thread_local const char* name_of_failed = nullptr;

/// The function that ours hides; under a sanitizer that is the sanitizer's.
template <class Function>
Function* hidden(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

failing_call::failing_call(int n, int e) noexcept {
    name_of_failed = nullptr;
    error = e;
    left = n;
}

failing_call::~failing_call() { left = -1; }

const char* failing_call::failed() const noexcept { return name_of_failed; }

bool call_fails(const char* name) noexcept {
    if (left < 0 || left-- > 0) return false;
    name_of_failed = name;
    errno = error;
    return true;
}

} // namespace tests

extern "C" {

int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
    static auto* const next = tests::hidden<int(int, int, int, void*, socklen_t*)>("getsockopt");
    return tests::call_fails("getsockopt") ? -1 : next(fd, level, name, value, size);
}

int shutdown(int fd, int how) noexcept {
    static auto* const next = tests::hidden<int(int, int)>("shutdown");
    return tests::call_fails("shutdown") ? -1 : next(fd, how);
}

int connect(int fd, const sockaddr* address, socklen_t size) {
    static auto* const next = tests::hidden<int(int, const sockaddr*, socklen_t)>("connect");
    return tests::call_fails("connect") ? -1 : next(fd, address, size);
}

ssize_t recv(int fd, void* buffer, size_t size, int flags) {
    static auto* const next = tests::hidden<ssize_t(int, void*, size_t, int)>("recv");
    return tests::call_fails("recv") ? -1 : next(fd, buffer, size, flags);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
    static auto* const next = tests::hidden<ssize_t(int, const void*, size_t, int)>("send");
    return tests::call_fails("send") ? -1 : next(fd, bytes, size, flags);
}

int poll(pollfd* fds, nfds_t count, int timeout) {
    static auto* const next = tests::hidden<int(pollfd*, nfds_t, int)>("poll");
    return tests::call_fails("poll") ? -1 : next(fds, count, timeout);
}

int epoll_ctl(int set, int what, int fd, epoll_event* event) noexcept {
    static auto* const next = tests::hidden<int(int, int, int, epoll_event*)>("epoll_ctl");
    return tests::call_fails("epoll_ctl") ? -1 : next(set, what, fd, event);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
    static auto* const next = tests::hidden<int(int, unsigned long, void*)>("ioctl");
    va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return tests::call_fails("ioctl") ? -1 : next(fd, request, argument);
}

/// What a close calls so is recvfrom(2).
long syscall(long number, ...) noexcept {
    static auto* const next = tests::hidden<long(long, long, long, long, long, long, long)>("syscall");
    va_list arguments;
    va_start(arguments, number);
    long a[6];
    for (long& each : a) each = va_arg(arguments, long);
    va_end(arguments);
    return tests::call_fails("syscall") ? -1 : next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

} // extern "C"
