// SPDX-License-Identifier: BSL-1.0
// A number of the command line, for the examples that have no other use for a parser: ports, seconds, threads.
#ifndef CLOSESIDE_EXAMPLES_NUMBER_HPP
#define CLOSESIDE_EXAMPLES_NUMBER_HPP

#include <charconv>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>

/// All of `text`, which must be a number in the range. @throws std::invalid_argument, which says so.
template <class Int = std::uint16_t>
Int number(const std::string& text, Int least = 0, Int most = std::numeric_limits<Int>::max()) {
    Int n{};
    const char* const end = text.data() + text.size();
    const auto [rest, ec] = std::from_chars(text.data(), end, n);
    if (ec == std::errc() && rest == end && n >= least && n <= most) return n;
    throw std::invalid_argument("'" + text + "' is not a number from " + std::to_string(least) + " to " +
                                std::to_string(most));
}

#endif
