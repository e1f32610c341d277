// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_READ_FILE_HPP
#define CLOSESIDE_CHECK_READ_FILE_HPP

#include <cstddef>
#include <string>

namespace check {

/// The content of a regular file, which somebody else may have written: neither waits for a FIFO nor reads without end.
/** @throws std::runtime_error that says why not: the system's reason, no regular file, or more than `largest` bytes. */
std::string read_file(const std::string& file, std::size_t largest);

} // namespace check

#endif
