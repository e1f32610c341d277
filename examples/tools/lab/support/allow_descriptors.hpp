// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_ALLOW_DESCRIPTORS_HPP
#define CLOSESIDE_LAB_SUPPORT_ALLOW_DESCRIPTORS_HPP

#include <cstddef>
#include <stdexcept>
#include <string>

#include <sys/resource.h>

namespace lab {

/// Raises this process's own limit to what it may be, or throws if `count` descriptors are more than that.
inline void allow_descriptors(std::size_t count) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= count) return;
    limit.rlim_cur = limit.rlim_max;
    if (limit.rlim_max < count || ::setrlimit(RLIMIT_NOFILE, &limit) != 0)
        throw std::runtime_error("needs " + std::to_string(count) + " file descriptors; ulimit -Hn permits " +
                                 std::to_string(limit.rlim_max));
}

} // namespace lab

#endif
