// SPDX-License-Identifier: BSL-1.0
#include "read_file.hpp"

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace check {

std::string read_file(const std::string& file, std::size_t largest) {
    const auto why = [] { return std::generic_category().message(errno); };
    const closeside::detail::owned_descriptor in(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct ::stat status {};
    if (!in || ::fstat(in.get(), &status) != 0) throw std::runtime_error(why());
    if (!S_ISREG(status.st_mode)) throw std::runtime_error("not a regular file");
    std::string text;
    std::array<char, 65536> part;
    while (const ssize_t n = ::read(in.get(), part.data(), part.size())) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw std::runtime_error(why());
        text.append(part.data(), static_cast<std::size_t>(n));
        if (text.size() > largest)
            throw std::runtime_error("it is larger than " + std::to_string(largest >> 20) + " MiB");
    }
    return text;
}

} // namespace check
