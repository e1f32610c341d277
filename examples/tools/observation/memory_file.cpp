// SPDX-License-Identifier: BSL-1.0
#include "memory_file.hpp"

#include <cerrno>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

namespace observation {

descriptor memory_file(const std::string& content) {
    descriptor file(::memfd_create("closeside", MFD_CLOEXEC));
    if (!file || ::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
        throw std::system_error(errno, std::generic_category(), "memfd_create");
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

std::string content_of(const descriptor& file) {
    std::string text;
    char buffer[4096];
    ssize_t n = 0;
    for (off_t at = 0; (n = ::pread(file.get(), buffer, sizeof buffer, at)) > 0; at += n)
        text.append(buffer, static_cast<std::size_t>(n));
    return text;
}

} // namespace observation
