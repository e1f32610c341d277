// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_PROCESS_HPP
#define CLOSESIDE_LAB_SUPPORT_PROCESS_HPP

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace lab {

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
    int descriptor_ = -1; ///< pidfd
    std::optional<int> status_;
};

struct program_result {
    int status = 0; ///< exit status; -n: killed by signal n
    std::string out;
    std::string err;
};

/// Runs a program to its end in the calling thread's network namespace, `input` on its standard input.
/** A name without a slash is looked for in PATH, then in /usr/sbin and /sbin. Throws std::runtime_error if there is no
 *  such program or if it takes longer than `limit`; a failing program is the caller's business. */
program_result run_program(const std::vector<std::string>& arguments, const std::string& input = {},
                           std::chrono::milliseconds limit = std::chrono::seconds(10));

/// The same for programs that must succeed: returns the output; a status other than 0 throws, with what it said.
std::string run_tool(const std::vector<std::string>& arguments, const std::string& input = {});

} // namespace lab

#endif
