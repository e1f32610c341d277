// SPDX-License-Identifier: BSL-1.0
#include "machine.hpp"

#include <asio/version.hpp>

#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace benchmark_suite {

namespace {

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (const std::size_t colon = line.find(": "); line.starts_with("model name") && colon != line.npos)
            return line.substr(colon + 2);
    return "unknown";
}

unsigned processors() {
    ::cpu_set_t allowed;
    return ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? static_cast<unsigned>(CPU_COUNT(&allowed)) : 0;
}

std::string kernel_release() {
    ::utsname names{};
    return ::uname(&names) == 0 ? names.release : "unknown";
}

std::string asio_version() {
    return std::to_string(ASIO_VERSION / 100'000) + "." + std::to_string(ASIO_VERSION / 100 % 1'000) + "." +
           std::to_string(ASIO_VERSION % 100);
}

std::string today() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 16> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d", &utc);
    return text.data();
}

double load() {
    std::array<double, 1> average{};
    return ::getloadavg(average.data(), 1) == 1 ? average[0] : 0;
}

} // namespace

machine this_machine() {
    machine m{};
    m.processor = processor_name();
    m.processors = processors();
    m.memory_gib = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE)) /
                   (1024.0 * 1024 * 1024);
    m.kernel = kernel_release();
    m.compiler = CLOSESIDE_COMPILER;
    m.asio = asio_version();
    m.date = today();
    m.load_average = load();
#ifdef __OPTIMIZE__
    m.optimised = true;
#endif
    return m;
}

} // namespace benchmark_suite
