// SPDX-License-Identifier: BSL-1.0
#include "measured_part.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#if CLOSESIDE_COUNTS_INSTRUCTIONS
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#endif

namespace benchmark_support {

namespace {

bool is_measuring = false;

// The bare system call: a C library may remember the answer.
void mark_in_trace() noexcept { ::syscall(SYS_getppid); }

} // namespace

void resume_measuring() noexcept {
    mark_in_trace();
    is_measuring = true;
    CALLGRIND_TOGGLE_COLLECT;
}

void pause_measuring() noexcept {
    CALLGRIND_TOGGLE_COLLECT;
    is_measuring = false;
    mark_in_trace();
}

bool measuring() noexcept { return is_measuring; }

void end_after_a_minute() noexcept { ::alarm(60); }

} // namespace benchmark_support
