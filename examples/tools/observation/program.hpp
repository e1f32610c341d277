// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_PROGRAM_HPP
#define CLOSESIDE_OBSERVATION_PROGRAM_HPP

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace observation {

struct program_result {
    int status = 0; ///< exit status; -n: killed by signal n
    std::string out;
    std::string err;
};

struct program_options {
    std::string input = {};                                   ///< on its standard input
    std::optional<std::vector<std::string>> environment = {}; ///< nothing: this process's
    std::chrono::milliseconds limit = std::chrono::seconds(10);
    std::function<void(pid_t)> meanwhile = {}; ///< is called once the process runs; what it throws ends the program
};

/// Runs a program to its end in the calling thread's network namespace.
/** A name without a slash is looked for in PATH, then in /usr/sbin and /sbin. Throws std::runtime_error if there is no
 *  such program or if it takes longer than the limit; a failing program is the caller's business. */
program_result run_program(const std::vector<std::string>& arguments, const program_options& options = {});

/// The same for programs that must succeed: returns the output; a status other than 0 throws, with what it said.
std::string run_tool(const std::vector<std::string>& arguments, const std::string& input = {});

/// What exec(3) takes: pointers into `words`, and a null pointer behind them.
std::vector<char*> pointers_to(const std::vector<std::string>& words);

} // namespace observation

#endif
