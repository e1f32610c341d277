// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_SESSION_HPP
#define CLOSESIDE_CHECK_FOLLOW_SESSION_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <chrono>
#include <csignal>

namespace check::follow {

/// A while that is watched: it ends when its time is over, or at a signal that asks the program to end.
/** Such signals are held while it lives, so that nothing that was set up for it is left behind. */
class session {
public:
    /// 0: without an end.
    explicit session(std::chrono::seconds time);
    ~session();
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Waits so long, or until the end; whether it goes on.
    bool wait(std::chrono::milliseconds time);

    std::chrono::duration<double> elapsed() const { return std::chrono::steady_clock::now() - begin_; }

private:
    ::sigset_t before_{};
    closeside::detail::owned_descriptor signals_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::chrono::seconds time_;
};

} // namespace check::follow

#endif
