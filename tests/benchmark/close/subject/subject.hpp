// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_CLOSE_SUBJECT_HPP
#define CLOSESIDE_BENCHMARK_CLOSE_SUBJECT_HPP

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace benchmark_close {

class peers;

/// A server's event loop and its connections, in one of the ways that are compared.
class subject {
public:
    subject() = default;
    subject(const subject&) = delete;
    subject& operator=(const subject&) = delete;
    virtual ~subject() = default;

    /// Takes over a non-blocking connection and begins to read a request of one byte.
    virtual void adopt(int fd) = 0;

    /// Ends every connection gracefully and forgets it; returns before that is done. Called by the loop.
    virtual void close_all() = 0;

    /// Runs the loop until stop().
    virtual void run() = 0;
    virtual void stop() = 0;

    /// Has the loop call `f`, before it looks at anything that happens from now on.
    virtual void call_next(std::function<void()> f) = 0;
};

using subject_factory = std::function<std::unique_ptr<subject>()>;

/// main() of a subject program: `<subject> alone|batch answers|uploads|leaves`.
/** Prints `closes`, `allocations`, `bytes` and `resets`, a number behind each: what was measured, and how many of the
 *  peers were reset. */
int run_subject(int argc, char** argv, const std::map<std::string, subject_factory>& subjects);
/// … with peers of another kind.
int run_subject(int argc, char** argv, const std::map<std::string, subject_factory>& subjects, peers& others);

} // namespace benchmark_close

#endif
