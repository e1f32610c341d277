// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_TABLE_HPP
#define CLOSESIDE_LAB_POLICY_TABLE_HPP

#include "result.hpp"

#include <iosfwd>

namespace lab::policy {

/// The width of the table that print_table() writes.
inline constexpr int table_width = 111;

struct table_style {
    bool colour = false;
    bool one_line_a_cell = false; ///< for a terminal narrower than table_width
};

/// The table, its legend, and what was found. ASCII only.
void print_table(std::ostream& out, const lab_result& result, table_style style);

} // namespace lab::policy

#endif
