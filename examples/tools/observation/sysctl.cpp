// SPDX-License-Identifier: BSL-1.0
#include "sysctl.hpp"

#include "descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace observation {

namespace {

std::string path_of(std::string name) {
    std::replace(name.begin(), name.end(), '.', '/');
    return "/proc/sys/" + name;
}

} // namespace

int write_sysctl(const std::string& name, const std::string& value) {
    const descriptor file(::open(path_of(name).c_str(), O_WRONLY | O_CLOEXEC));
    // To the kernel, nothing at all would be no write.
    const std::string line = value + '\n';
    const bool written = file && ::write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size());
    return written ? 0 : errno;
}

void set_sysctl(const std::string& name, const std::string& value) {
    if (const int error = write_sysctl(name, value))
        throw std::system_error(error, std::generic_category(), name + " = " + value);
}

std::string read_sysctl(const std::string& name) {
    const descriptor file(::open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC));
    char value[4096];
    const ssize_t size = file ? ::read(file.get(), value, sizeof value) : -1;
    if (size < 0) throw std::system_error(errno, std::generic_category(), name);
    std::string text(value, static_cast<std::size_t>(size));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

} // namespace observation
