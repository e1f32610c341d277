// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUPPORT_PROGRAM_HPP
#define CLOSESIDE_BENCHMARK_SUPPORT_PROGRAM_HPP

#include "comparison.hpp"

#include <functional>
#include <string>
#include <vector>

namespace benchmark_support {

/// The return code of a test that is skipped, as CMake knows it.
inline constexpr int status_skipped = 77;

struct options {
    unsigned rounds;
    /// Everything once and as small as can be: does it work at all?
    bool smoke;
};

struct benchmark {
    std::string name;
    std::string description; ///< what is measured and against what, one sentence
    unsigned rounds;         ///< unless the command line says otherwise
    /// No rows if nothing can be measured here, which it has said on standard error.
    std::function<std::vector<comparison>(const options&)> measure;
};

/// main() of a benchmark: `--rounds N`, `--smoke`, `--json`. The exit status does not depend on the numbers.
/** The JSON is one object: `{"benchmark": name, "rounds": N, "rows": [row, …]}`, where a row has "what", "unit", "ours",
 *  "our_value"; with a peer "theirs", "their_value", "ratio", "lowest_ratio", "highest_ratio"; with an aim "aim", "met". */
int run(int argc, char** argv, const benchmark& b);

} // namespace benchmark_support

#endif
