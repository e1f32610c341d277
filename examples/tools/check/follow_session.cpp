// SPDX-License-Identifier: BSL-1.0
#include "follow_session.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <poll.h>
#include <sys/signalfd.h>

namespace check::follow {

session::session(std::chrono::seconds time) : time_(time) {
    ::sigset_t ending;
    ::sigemptyset(&ending);
    // SIGPIPE too: a reader that goes away shows in a failed write, and what was set up is removed.
    for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::sigaddset(&ending, s);
    ::sigprocmask(SIG_BLOCK, &ending, &before_);
    ::sigdelset(&ending, SIGPIPE);
    signals_ = closeside::detail::owned_descriptor(::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) throw std::system_error(errno, std::generic_category(), "signalfd");
}

session::~session() {
    // Those that have ended the session are taken, so that they do not end the program before it has said its last word.
    ::signalfd_siginfo taken;
    while (signals_ && ::read(signals_.get(), &taken, sizeof taken) > 0) {
    }
    const ::timespec at_once{};
    ::sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    while (::sigtimedwait(&pipe, nullptr, &at_once) > 0) {
    }
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool session::wait(std::chrono::milliseconds time) {
    using clock = std::chrono::steady_clock;
    auto until = clock::now() + time;
    const bool bounded = time_.count() != 0;
    if (bounded) until = std::min(until, begin_ + time_);
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
        ::pollfd signal{signals_.get(), POLLIN, 0};
        const int ready = ::poll(&signal, 1, static_cast<int>(std::max<long long>(left, 0)));
        if (ready > 0) return false;
        if (left <= 0) return !bounded || clock::now() < begin_ + time_;
    }
}

} // namespace check::follow
