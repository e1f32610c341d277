// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_IN_CHILD_HPP
#define CLOSESIDE_TESTS_SUPPORT_IN_CHILD_HPP

#include <cerrno>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tests {

/// Runs `body` in a forked process and brings back the string it returns; "threw: …" if it throws.
template <class Body>
std::string in_child(Body body) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
        // A body that hangs must not hang the tests.
        ::alarm(20);
        std::string text;
        try {
            text = body();
        } catch (const std::exception& e) {
            text = std::string("threw: ") + e.what();
        }
        for (std::size_t done = 0; done < text.size();) {
            const ssize_t n = ::write(ends[1], text.data() + done, text.size() - done);
            if (n <= 0) ::_exit(1);
            done += static_cast<std::size_t>(n);
        }
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return "the child died";
    return text;
}

/// The same without any capability, also in what the body executes: the modes of files bind root as they bind others.
/** The user stays, so that it can run programs wherever they were built, and namespaces without other users will do. */
template <class Body>
std::string in_unprivileged_child(Body body) {
    return in_child([&]() -> std::string {
        ::__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        const ::__user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::syscall(SYS_capset, &header, none) != 0)
            return "cannot drop the capabilities";
        return body();
    });
}

/// The same in a network namespace of its own; none where neither root nor user namespaces give the right to one.
template <class Body>
std::optional<std::string> in_own_network(Body body) {
    const std::string refused = "no right to a network namespace";
    std::string text = in_child([&]() -> std::string {
        if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return refused;
        return body();
    });
    if (text == refused) return std::nullopt;
    return text;
}

} // namespace tests

#endif
