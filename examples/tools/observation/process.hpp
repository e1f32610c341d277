// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_PROCESS_HPP
#define CLOSESIDE_OBSERVATION_PROCESS_HPP

#include <chrono>
#include <functional>
#include <optional>

#include <sys/types.h>

namespace observation {

/// A child process that does not outlive its parent, in whichever way that ends.
/** The destructor kills it and waits for it. It belongs to the thread that started it: when that thread ends, the kernel
 *  kills the child (PR_SET_PDEATHSIG). */
class process {
public:
    /// Forks; the child runs `body` in the calling thread's network namespace and exits with what it returns.
    /** In a process with several threads, `body` may use nothing that another thread could have held at that moment:
     *  of the standard library, the allocator is safe (glibc), of Asio an io_context of its own. An exception ends the
     *  child with status 70, its text on standard error. Throws std::system_error. */
    explicit process(const std::function<int()>& body);
    process(process&& other) noexcept;
    process& operator=(process&&) = delete;
    ~process();

    pid_t id() const noexcept { return id_; }
    void signal(int number) const noexcept;

    /// Waits until it ends: its exit status, or -n after signal n; nothing if it has not ended within `limit`.
    std::optional<int> wait(std::chrono::milliseconds limit);

private:
    pid_t id_ = -1;
    int descriptor_ = -1; ///< pidfd; none before Linux 5.3
    std::optional<int> status_;
};

} // namespace observation

#endif
