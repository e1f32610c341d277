// SPDX-License-Identifier: BSL-1.0
#include "ten_keys.hpp"

#include "benchmark/support/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace benchmark_audit {

namespace {

const std::string program = SYSCTL; ///< empty: there is none

/// Every network namespace shows these, so that each is found.
const std::vector<std::string> keys{"net.ipv4.tcp_tw_reuse",        "net.ipv4.tcp_timestamps",
                                    "net.ipv4.tcp_fin_timeout",     "net.ipv4.tcp_max_tw_buckets",
                                    "net.ipv4.tcp_rfc1337",         "net.ipv4.tcp_syncookies",
                                    "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_orphan_retries",
                                    "net.ipv4.tcp_keepalive_time",  "net.ipv4.ip_local_port_range"};

std::vector<std::string> files_of_keys() {
    std::vector<std::string> files;
    for (std::string key : keys) {
        std::ranges::replace(key, '.', '/');
        files.push_back("/proc/sys/" + key);
    }
    return files;
}

void read_value(const std::string& file) {
    std::array<char, 64> value;
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), file);
    const ssize_t n = ::read(fd, value.data(), value.size());
    const int error = errno;
    ::close(fd);
    if (n <= 0) throw std::system_error(error, std::generic_category(), "read " + file);
}

} // namespace

bool has_sysctl() { return !program.empty(); }

cost run_sysctl() {
    std::vector<std::string> command{program, "-n"};
    command.insert(command.end(), keys.begin(), keys.end());
    const auto result = benchmark_support::run_checked(command);
    return {result.processor_time, result.time};
}

cost read_ten_keys() {
    static const std::vector<std::string> files = files_of_keys();
    return cost_of([] {
        for (const std::string& file : files) read_value(file);
    });
}

} // namespace benchmark_audit
