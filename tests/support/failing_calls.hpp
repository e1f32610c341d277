// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_FAILING_CALLS_HPP
#define CLOSESIDE_TESTS_SUPPORT_FAILING_CALLS_HPP

// The test program's own versions of the system calls that a close and an accept make: each counts, and one can fail.
namespace tests {

/// While it lives, the n-th of these calls (from 0) on this thread fails with this errno, and has no effect.
class failing_call {
public:
    failing_call(int n, int error) noexcept;
    failing_call(const failing_call&) = delete;
    failing_call& operator=(const failing_call&) = delete;
    ~failing_call();

    /// The name of the call that has failed; nullptr if none has come so far.
    const char* failed() const noexcept;
};

/// For the interposed functions: is this call to fail, with errno set?
bool call_fails(const char* name) noexcept;

} // namespace tests

#endif
