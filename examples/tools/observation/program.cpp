// SPDX-License-Identifier: BSL-1.0
#include "program.hpp"

#include "memory_file.hpp"
#include "process.hpp"

#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace observation {

namespace {

std::string path_of(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    const char* const path = std::getenv("PATH");
    std::istringstream directories((path ? std::string(path) : std::string()) + ":/usr/sbin:/sbin");
    for (std::string directory; std::getline(directories, directory, ':');) {
        const std::string candidate = directory + '/' + name;
        if (!directory.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    const char* const package = name == "nft" ? "nftables" : name == "ip" ? "iproute2" : nullptr;
    throw std::runtime_error("there is no program " + name +
                             (package ? std::string("; Debian's package is ") + package : std::string()));
}

} // namespace

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

program_result run_program(const std::vector<std::string>& arguments, const program_options& options) {
    const std::string path = path_of(arguments.at(0));
    const std::vector<char*> words = pointers_to(arguments);
    const std::vector<char*> own = options.environment ? pointers_to(*options.environment) : std::vector<char*>{};
    const descriptor in = memory_file(options.input), out = memory_file(), err = memory_file();
    process program([&] {
        for (const auto& [file, number] : {std::pair{&in, 0}, std::pair{&out, 1}, std::pair{&err, 2}})
            ::dup2(file->get(), number);
        ::execve(path.c_str(), words.data(), options.environment ? own.data() : ::environ);
        return 127;
    });
    if (options.meanwhile) options.meanwhile(program.id());
    const std::optional<int> status = program.wait(options.limit);
    if (!status)
        throw std::runtime_error(arguments[0] + " did not end within " + std::to_string(options.limit.count()) + " ms");
    return {*status, content_of(out), content_of(err)};
}

std::string run_tool(const std::vector<std::string>& arguments, const std::string& input) {
    program_result result = run_program(arguments, {.input = input});
    if (result.status == 0) return std::move(result.out);
    std::string command;
    for (const std::string& argument : arguments) command += (command.empty() ? "" : " ") + argument;
    throw std::runtime_error(command + " failed with status " + std::to_string(result.status) + ": " + result.err +
                             (input.empty() ? "" : "its input was:\n" + input));
}

} // namespace observation
