// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_TOOLS_CHECK_FOLLOWING_HPP
#define CLOSESIDE_TESTS_TOOLS_CHECK_FOLLOWING_HPP

#include "observation/memory_file.hpp"
#include "observation/process.hpp"
#include "observation/program.hpp"
#include "observation/wait.hpp"
#include "support/own_mounts.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

// For the body of in_own_network: `closeside-check follow` while connections end.
namespace tests {

/// The kernel makes it, for a tracefs.
inline const std::filesystem::path tracefs = "/sys/kernel/tracing";

/// Gives this process a mount namespace of its own in which no tracefs is mounted; false without the right to it.
inline bool leave_tracefs() {
    if (!take_own_mounts()) return false;
    for (const char* const place : {"/sys/kernel/debug/tracing", tracefs.c_str()})
        while (::umount2(place, MNT_DETACH) == 0) {
        }
    return true;
}

/// The same, with one that no other process sees; false without the right to it.
inline bool mount_own_tracefs() {
    return leave_tracefs() && ::mount("none", tracefs.c_str(), "tracefs", 0, nullptr) == 0;
}

inline std::vector<std::string> instances() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(tracefs / "instances"))
        names.push_back(entry.path().filename().string());
    return names;
}

/// The program, as it follows; killed with its owner.
class following {
public:
    /// `to`: a file that takes what it prints; empty: out() has it.
    explicit following(std::vector<std::string> arguments = {"--format", "json"}, const std::string& command = "follow",
                       const char* to = "")
        : out_(*to ? observation::descriptor(::open(to, O_WRONLY | O_CLOEXEC)) : observation::memory_file()),
          err_(observation::memory_file()), process_([&] { return execute(std::move(arguments), command); }) {}

    pid_t id() const { return process_.id(); }
    std::string instance() const { return "closeside-" + std::to_string(process_.id()); }
    std::string out() const { return observation::content_of(out_); }
    std::string err() const { return observation::content_of(err_); }

    /// Until the kernel writes all that is to be read; false if that does not come.
    bool is_ready() const {
        const auto last = tracefs / "instances" / instance() / "events/sock/inet_sk_error_report/enable";
        return observation::eventually(
            [&] {
                std::ifstream file(last);
                std::string text;
                return std::getline(file, text) && text == "1";
            },
            std::chrono::seconds(10));
    }

    std::vector<nlohmann::json> endings() const {
        std::vector<nlohmann::json> all;
        std::istringstream lines(out());
        for (std::string line; std::getline(lines, line) && !lines.eof();) all.push_back(nlohmann::json::parse(line));
        return all;
    }

    /// The ending of the connection with these local and remote ports; null if it does not come.
    nlohmann::json ending(std::uint16_t local, std::uint16_t peer,
                          std::chrono::seconds limit = std::chrono::seconds(8)) {
        const auto ends_with = [](const nlohmann::json& text, std::uint16_t port) {
            return text.get<std::string>().ends_with(":" + std::to_string(port));
        };
        nlohmann::json found;
        observation::eventually(
            [&] {
                for (const nlohmann::json& e : endings())
                    if (ends_with(e.at("local"), local) && ends_with(e.at("peer"), peer)) found = e;
                return !found.is_null();
            },
            limit);
        return found;
    }

    /// The exit status after a signal, or -1.
    int stop(int signal = SIGTERM) {
        process_.signal(signal);
        return process_.wait(std::chrono::seconds(10)).value_or(-1);
    }
    void signal(int number) const { process_.signal(number); }
    std::optional<int> wait(std::chrono::milliseconds limit) { return process_.wait(limit); }

private:
    int execute(std::vector<std::string> arguments, const std::string& command) const {
        arguments.insert(arguments.begin(), {CLOSESIDE_CHECK, command});
        ::dup2(out_.get(), STDOUT_FILENO);
        ::dup2(err_.get(), STDERR_FILENO);
        ::execv(arguments.at(0).c_str(), observation::pointers_to(arguments).data());
        return 127;
    }

    observation::descriptor out_, err_;
    observation::process process_;
};

} // namespace tests

#endif
