// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_ACCEPT_SUBJECT_HPP
#define CLOSESIDE_BENCHMARK_ACCEPT_SUBJECT_HPP

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace benchmark_accept {

/// How long an orphan may stay in FIN-WAIT-2, if that is set.
inline constexpr int linger2_seconds = 7;

/// A listening server in one of the ways that are compared.
class subject {
public:
    subject() = default;
    subject(const subject&) = delete;
    subject& operator=(const subject&) = delete;
    virtual ~subject() = default;

    virtual void run() = 0;
    virtual void stop() = 0;
    /// Has the loop call `f`.
    virtual void call_next(std::function<void()> f) = 0;

    virtual int listener() = 0;
    /// The descriptors accepted since it was last cleared.
    virtual std::vector<int>& accepted() = 0;
    /// SO_LINGER, TCP_LINGER2, SO_KEEPALIVE and TCP_NODELAY are set on what it accepts.
    virtual bool sets_options() const = 0;
};

using subject_factory = std::function<std::unique_ptr<subject>()>;

/// main() of the subject program: `<subject> <connections at once>`. Prints how many connections were measured.
int run_subject(int argc, char** argv, const std::map<std::string, subject_factory>& subjects);

} // namespace benchmark_accept

#endif
