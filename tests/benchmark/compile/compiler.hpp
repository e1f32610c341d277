// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_COMPILE_COMPILER_HPP
#define CLOSESIDE_BENCHMARK_COMPILE_COMPILER_HPP

#include <optional>
#include <string>

namespace benchmark_compile {

struct compiled {
    double seconds; ///< of processor time, user and system
    /// Of the object file, without debug information; nothing if it was only checked.
    std::optional<double> bytes{};
    /// What of it is loaded into memory; nothing if binutils' size is not installed.
    std::optional<double> loaded_bytes{};
};

/// What is declared only, since a library of its own has it, and what is in headers.
struct mode {
    bool closeside_separate = false; ///< CLOSESIDE_SEPARATE_COMPILATION
    bool asio_separate = false;      ///< ASIO_SEPARATE_COMPILATION
};

/// Runs the compiler that built this program.
class compiler {
public:
    /// Makes a directory for the object files, and removes it in the end.
    /** @throws std::system_error if it cannot be made. */
    compiler();
    compiler(const compiler&) = delete;
    compiler& operator=(const compiler&) = delete;
    ~compiler();

    /// As for a release: -O2. `source` is relative to the benchmark's own directory.
    /** @throws std::runtime_error with what the compiler says, if it refuses the source. */
    compiled compile(const std::string& source, mode m = {}) const;

    /// The front end alone, which leaves no object.
    compiled check(const std::string& source, mode m = {}) const;

private:
    std::string directory_;
    bool can_size_;
};

} // namespace benchmark_compile

#endif
