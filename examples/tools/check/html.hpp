// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_HTML_HPP
#define CLOSESIDE_CHECK_HTML_HPP

#include "endings.hpp"
#include "report.hpp"

#include <iosfwd>
#include <string>
#include <string_view>

namespace check {

/// One page that needs no other file, for a browser of any width: the report, and the endings if there are any.
void print_html(std::ostream& out, const report& r, const ending_list& endings);

/// Text from elsewhere inside an element or a quoted attribute: it can end neither.
std::string html_text(std::string_view text);

} // namespace check

#endif
