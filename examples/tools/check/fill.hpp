// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FILL_HPP
#define CLOSESIDE_CHECK_FILL_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace check {

/// The columns that a text takes on a terminal: sequences that set a colour take none.
std::size_t columns_of(std::string_view text) noexcept;

/// Appends `first` and then `text` to `out`, broken between words into lines of at most `width` columns, the later ones
/// behind `indent` blanks. A line end follows the last.
/** What stands in backquotes, a command to be copied, stays on one line if it fits into one. A word that fits into none
 *  stands alone and whole. `text` has no line ends. Between columns of it several blanks stay. */
void fill(std::string& out, std::string_view first, std::size_t indent, std::string_view text, std::size_t width);

/// A text of several lines, each broken like this; what is broken goes on below its second column, or where there is but
/// one two columns further in. For what is laid out already, as help is.
std::string refilled(std::string_view text, std::size_t width);

} // namespace check

#endif
