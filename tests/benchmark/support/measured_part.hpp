// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUPPORT_MEASURED_PART_HPP
#define CLOSESIDE_BENCHMARK_SUPPORT_MEASURED_PART_HPP

namespace benchmark_support {

/// The system call that begins and ends each measured part, so that a trace of all calls shows where they are.
inline constexpr const char* part_marker = "getppid";

/// For programs that count_system_calls and count_instructions start: only what happens between these two counts.
void resume_measuring() noexcept;
void pause_measuring() noexcept;

bool measuring() noexcept;

/// While it lives nothing counts.
class not_measured {
public:
    not_measured() noexcept : measured_(measuring()) {
        if (measured_) pause_measuring();
    }
    not_measured(const not_measured&) = delete;
    not_measured& operator=(const not_measured&) = delete;
    ~not_measured() {
        if (measured_) resume_measuring();
    }

private:
    bool measured_;
};

/// Whatever goes wrong, such a program does not stay: its tracer may have been killed.
void end_after_a_minute() noexcept;

} // namespace benchmark_support

#endif
