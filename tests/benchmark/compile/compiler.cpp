// SPDX-License-Identifier: BSL-1.0
#include "compiler.hpp"

#include "benchmark/support/process.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace benchmark_compile {

namespace {

/// A server takes seconds; a busy machine and a slow one shall not fail for that.
constexpr std::chrono::seconds limit(300);

void add_each(std::vector<std::string>& command, const std::string& option, const std::string& list) {
    std::istringstream items(list);
    for (std::string item; std::getline(items, item, '|');)
        if (!item.empty()) command.push_back(option + item);
}

std::vector<std::string> command_for(const std::string& source, mode m) {
    std::vector<std::string> command{COMPILER, "-std=c++20", "-pthread"};
    add_each(command, "-D", DEFINITIONS);
    if (m.closeside_separate) command.emplace_back("-DCLOSESIDE_SEPARATE_COMPILATION");
    if (m.asio_separate) command.emplace_back("-D" ASIO_SEPARATELY);
    add_each(command, "-I", INCLUDES);
    command.push_back(std::string(SOURCES "/") + source);
    return command;
}

double run_compiler(const std::vector<std::string>& command) {
    return std::chrono::duration<double>(benchmark_support::run_checked(command, limit).processor_time).count();
}

/// Text and data as size(1) prints them, in its second line.
double loaded_bytes_of(const std::string& object) {
    std::istringstream printed(benchmark_support::run_checked({"size", object}).out);
    std::string heading;
    double text = 0, data = 0;
    if (!std::getline(printed, heading) || !(printed >> text >> data))
        throw std::runtime_error("size did not print the sizes of " + object);
    return text + data;
}

} // namespace

compiler::compiler()
    : directory_((std::filesystem::temp_directory_path() / "closeside-compile-XXXXXX").string()),
      can_size_(benchmark_support::is_installed("size")) {
    if (::mkdtemp(directory_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), directory_);
}

compiler::~compiler() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

compiled compiler::compile(const std::string& source, mode m) const {
    const std::string object = directory_ + "/object.o";
    std::vector<std::string> command = command_for(source, m);
    command.insert(command.end(), {"-O2", "-c", "-o", object});
    compiled c{run_compiler(command)};
    c.bytes = static_cast<double>(std::filesystem::file_size(object));
    if (can_size_) c.loaded_bytes = loaded_bytes_of(object);
    return c;
}

compiled compiler::check(const std::string& source, mode m) const {
    std::vector<std::string> command = command_for(source, m);
    command.emplace_back("-fsyntax-only");
    return {run_compiler(command)};
}

} // namespace benchmark_compile
