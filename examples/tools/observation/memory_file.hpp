// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_MEMORY_FILE_HPP
#define CLOSESIDE_OBSERVATION_MEMORY_FILE_HPP

#include "descriptor.hpp"

#include <string>

namespace observation {

/// A file in memory, opened at its beginning: a process writes as much as it likes without anybody reading meanwhile.
descriptor memory_file(const std::string& content = {});

/// All of a file, wherever it is being read or written.
std::string content_of(const descriptor& file);

} // namespace observation

#endif
