// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_TOOLS_CHECK_CHECK_PROGRAM_HPP
#define CLOSESIDE_TESTS_TOOLS_CHECK_CHECK_PROGRAM_HPP

#include "support/fake_root.hpp"
#include "support/run_program.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

// Runs the program itself; CLOSESIDE_CHECK is its path, defined by CMake.
namespace tests {

/// Its text is broken nowhere, so that sentences can be looked for, unless `columns` says otherwise.
inline program_result check(std::vector<std::string> arguments, int columns = 10'000) {
    arguments.insert(arguments.begin(), CLOSESIDE_CHECK);
    return run_program(std::move(arguments), {"TERM=xterm", "COLUMNS=" + std::to_string(columns)});
}

inline program_result check(const fake_root& root, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"--root", root.path()});
    return check(std::move(arguments));
}

inline nlohmann::json check_json(const fake_root& root, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"--format", "json"});
    return nlohmann::json::parse(check(root, std::move(arguments)).out);
}

/// The finding of that code in what the check prints as JSON; null if there is none.
inline nlohmann::json finding(const nlohmann::json& document, const std::string& code) {
    for (const nlohmann::json& f : document.at("findings"))
        if (f.at("code") == code) return f;
    return nullptr;
}

/// What stands in a file; empty if there is none.
inline std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace tests

#endif
