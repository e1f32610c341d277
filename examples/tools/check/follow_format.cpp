// SPDX-License-Identifier: BSL-1.0
#include "follow_format.hpp"

#include <charconv>
#include <cstring>

namespace check::follow {

namespace {

/// No event has more; who writes more is no kernel.
constexpr std::size_t most_fields = 256, most_reasons = 1024, longest_name = 64, largest_offset = 1 << 16;

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    return value;
}

/// The number behind `key` in a line like `field:int x; offset:8; size:4;`, whose fields have tabs between them.
std::optional<std::uint64_t> number_after(std::string_view line, std::string_view key) {
    const std::size_t at = line.find(key);
    return at == line.npos ? std::nullopt : number_in(line.substr(at + key.size()));
}

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// The name in the declaration `__u8 saddr[4]` or `const void * skaddr`.
std::string_view declared_name(std::string_view declaration) {
    declaration = declaration.substr(0, declaration.find('['));
    while (!declaration.empty() && !is_word(declaration.back())) declaration.remove_suffix(1);
    std::size_t begin = declaration.size();
    while (begin != 0 && is_word(declaration[begin - 1])) --begin;
    return declaration.substr(begin);
}

struct named_place {
    std::string_view name;
    field_place place;
};

std::optional<named_place> field_in(std::string_view line) {
    constexpr std::string_view begin = "field:";
    const std::size_t at = line.find(begin);
    if (at == line.npos) return std::nullopt;
    line.remove_prefix(at + begin.size());
    const std::size_t end = line.find(';');
    const auto offset = number_after(line, "offset:"), size = number_after(line, "size:");
    if (end == line.npos || !offset || !size || *offset > largest_offset || *size > largest_offset) return std::nullopt;
    const std::string_view name = declared_name(line.substr(0, end));
    if (name.empty() || name.size() > longest_name) return std::nullopt;
    return named_place{name, {static_cast<std::size_t>(*offset), static_cast<std::size_t>(*size)}};
}

/// `{ 11, "TCP_ABORT_ON_CLOSE" }` and so on; a value that the kernel has left as the name of a constant is passed over.
void read_reasons(std::string_view text, std::map<std::uint64_t, std::string>& into) {
    const std::size_t begin = text.find("REC->reason,");
    if (begin == text.npos) return;
    text.remove_prefix(begin);
    while (into.size() < most_reasons) {
        const std::size_t open = text.find('{');
        const std::size_t close = open == text.npos ? text.npos : text.find('}', open);
        if (close == text.npos) return;
        std::string_view pair = text.substr(open + 1, close - open - 1);
        text.remove_prefix(close + 1);
        while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
        const auto value = number_in(pair);
        const std::size_t quote = pair.find('"'), end = pair.rfind('"');
        if (!value || quote == pair.npos || end <= quote) continue;
        const std::string_view name = pair.substr(quote + 1, end - quote - 1);
        bool plain = !name.empty() && name.size() <= longest_name;
        for (const char c : name) plain = plain && is_word(c);
        if (plain) into.emplace(*value, name);
    }
}

template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        visit(text.substr(0, end));
        if (end == text.npos) return;
        text.remove_prefix(end + 1);
    }
}

} // namespace

bytes event_format::raw(std::string_view field, bytes record) const {
    const auto found = fields.find(field);
    if (found == fields.end() || found->second.size > record.size() ||
        found->second.offset > record.size() - found->second.size)
        return {};
    return record.subspan(found->second.offset, found->second.size);
}

std::optional<std::uint64_t> event_format::number(std::string_view field, bytes record) const {
    const bytes at = raw(field, record);
    const auto as = [&]<class Number>(Number n) {
        std::memcpy(&n, at.data(), sizeof n);
        return std::optional<std::uint64_t>(n);
    };
    switch (at.size()) {
    case 1: return as(std::uint8_t{});
    case 2: return as(std::uint16_t{});
    case 4: return as(std::uint32_t{});
    case 8: return as(std::uint64_t{});
    default: return std::nullopt;
    }
}

std::optional<event_format> parse_event_format(std::string_view text) {
    event_format format;
    std::optional<std::uint64_t> id;
    for_each_line(text, [&](std::string_view line) {
        if (line.starts_with("ID: ")) id = number_in(line.substr(4));
        if (line.starts_with("print fmt:")) read_reasons(line, format.reasons);
        if (const auto field = field_in(line); field && format.fields.size() < most_fields)
            format.fields.emplace(field->name, field->place);
    });
    if (!id || *id == 0 || *id > 0xffff || format.fields.empty()) return std::nullopt;
    format.id = static_cast<std::uint16_t>(*id);
    return format;
}

std::optional<page_layout> parse_page_layout(std::string_view text) {
    page_layout layout;
    unsigned found = 0;
    for_each_line(text, [&](std::string_view line) {
        const auto field = field_in(line);
        if (!field) return;
        for (const auto& [name, place] : {std::pair{"timestamp", &layout.timestamp},
                                          std::pair{"commit", &layout.commit}, std::pair{"data", &layout.data}})
            if (field->name == name) {
                *place = field->place;
                ++found;
            }
    });
    const bool right = found == 3 && layout.timestamp.size == 8 && layout.data.size != 0 &&
                       (layout.commit.size == 4 || layout.commit.size == 8) &&
                       layout.timestamp.offset + layout.timestamp.size <= layout.data.offset &&
                       layout.commit.offset + layout.commit.size <= layout.data.offset;
    if (!right) return std::nullopt;
    return layout;
}

} // namespace check::follow
