// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_FORMAT_HPP
#define CLOSESIDE_CHECK_FOLLOW_FORMAT_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace check::follow {

using bytes = std::span<const std::uint8_t>;

/// Where a field lies in a record of the trace.
struct field_place {
    std::size_t offset = 0;
    std::size_t size = 0;
};

/// What a kernel's `format` file says of an event: fields move and come and go between releases, their names stay.
struct event_format {
    std::uint16_t id = 0;
    std::map<std::string, field_place, std::less<>> fields;
    /// The names of the values of `reason`, if the event has one.
    std::map<std::uint64_t, std::string> reasons;

    bool has(std::string_view field) const { return fields.find(field) != fields.end(); }

    /// The field's bytes; empty if the event has none of that name, or the record is too short for it.
    bytes raw(std::string_view field, bytes record) const;

    /// A number of 1, 2, 4 or 8 bytes in this machine's order, without its sign.
    std::optional<std::uint64_t> number(std::string_view field, bytes record) const;
};

/// Nothing if the text is no format file.
std::optional<event_format> parse_event_format(std::string_view text);

/// Where in a page of the ring buffer things lie (events/header_page).
struct page_layout {
    field_place timestamp{0, 8};
    field_place commit{8, 8};
    field_place data{16, 4080};
};
std::optional<page_layout> parse_page_layout(std::string_view text);

} // namespace check::follow

#endif
