// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_REPLACE_FILE_HPP
#define CLOSESIDE_CHECK_REPLACE_FILE_HPP

#include <string>
#include <string_view>

namespace check {

/// Writes `text` into a file beside `path` and renames it to `path`, so that who reads sees all of it or what was there
/// before; node_exporter's textfile collector asks for that. Everybody may read the file.
/** A symbolic link stays, and the file it leads to is replaced. What is no regular file is left alone.
 *  @return empty, or why not; nothing is left behind then. */
std::string replace_file(const std::string& path, std::string_view text);

} // namespace check

#endif
