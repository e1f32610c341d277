// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_RUN_IN_TERMINAL_HPP
#define CLOSESIDE_TESTS_SUPPORT_RUN_IN_TERMINAL_HPP

#include "observation/program.hpp"

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tests {

/// What a program writes when its standard output and error are a terminal of `columns`; an alarm bounds it to 10 s.
inline std::string run_in_terminal(const std::vector<std::string>& arguments,
                                   const std::vector<std::string>& environment, unsigned short columns) {
    const auto argv = observation::pointers_to(arguments), envp = observation::pointers_to(environment);
    const ::winsize size{25, columns, 0, 0};
    int terminal = -1;
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (child < 0) throw std::system_error(errno, std::generic_category(), "forkpty");
    if (child == 0) {
        ::alarm(10);
        ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    std::string text;
    char buffer[4096];
    // Ends with EIO once the program has closed its side.
    for (ssize_t n; (n = ::read(terminal, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(n));
    ::close(terminal);
    ::waitpid(child, nullptr, 0);
    return text;
}

} // namespace tests

#endif
