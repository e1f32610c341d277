// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_KEY_VALUE_IPP
#define CLOSESIDE_HOST_IMPL_KEY_VALUE_IPP

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/kernel/sysctl_text.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace closeside::host::detail {

CLOSESIDE_DECL key_value interpret(key_shape shape, std::string_view content) {
    namespace text = closeside::detail;
    const std::string_view line = text::without_line_end(content);
    const auto malformed = [&](const char* problem) {
        return key_value{key_status::malformed, text::printable_excerpt(content), {}, {}, problem};
    };
    if (!text::is_one_printable_line(line)) return malformed("not one line of printable text");

    key_value found{key_status::present, std::string(line), {}, {}, {}};
    switch (shape) {
    case key_shape::number:
        if (line.empty()) return malformed("empty");
        if (!(found.number = text::parse_number(line))) return malformed("not a number");
        return found;
    case key_shape::range: {
        if (line.empty()) return malformed("empty");
        const auto ends = text::parse_number_pair(line);
        if (!ends) return malformed("not two numbers");
        found.number = ends->first;
        found.high = ends->second;
        return found;
    }
    case key_shape::triple: {
        if (line.empty()) return malformed("empty");
        std::string_view rest = line;
        const auto low = text::take_number(rest), middle = text::take_number(rest), high = text::take_number(rest);
        if (!low || !middle || !high) return malformed("not three numbers");
        found.number = low;
        found.high = high;
        return found;
    }
    case key_shape::ports:
        if (line.find_first_not_of("0123456789,-") != line.npos) return malformed("not a list of ports");
        return found;
    }
    return found;
}

CLOSESIDE_DECL std::string to_be_written(std::string_view printed) {
    std::string value(printed);
    std::replace(value.begin(), value.end(), '\t', ' ');
    return value;
}

} // namespace closeside::host::detail

#endif
