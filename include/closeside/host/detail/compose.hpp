// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_COMPOSE_HPP
#define CLOSESIDE_HOST_DETAIL_COMPOSE_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

namespace closeside::host::detail {

/// `value` for a sentence: without its fraction, the nearest number where none is so large, 0 where it is no number.
constexpr std::int64_t whole(double value) noexcept {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    constexpr double bound = 0x1p63;
    if (value != value) return 0;
    return value >= bound ? most : value <= -bound ? -most : static_cast<std::int64_t>(value);
}

/// What stands in a sentence in place of `{}`: a text, which must outlive this, or a whole number.
class piece {
public:
    piece(const char* text) noexcept : piece(std::string_view(text)) {}
    piece(std::string_view text) noexcept : text_(text.data()), value_(text.size()), kind_(kind::text) {}
    piece(const std::string& text) noexcept : piece(std::string_view(text)) {}
    template <std::integral Number>
    piece(Number number) noexcept
        : value_(static_cast<std::uint64_t>(number)), kind_(number < Number{} ? kind::negative : kind::number) {}

    void append_to(std::string& out) const {
        switch (kind_) {
        case kind::text: out.append(text_, static_cast<std::size_t>(value_)); return;
        case kind::number: out += std::to_string(value_); return;
        case kind::negative: out += std::to_string(static_cast<std::int64_t>(value_)); return;
        }
    }

private:
    enum class kind : std::uint8_t { text, number, negative };

    const char* text_ = nullptr;
    /// The length of the text, or the number.
    std::uint64_t value_;
    kind kind_;
};

/// The sentence with a piece in each `{}`. One call, where a chain of + would be a call and a temporary for each part.
[[gnu::cold, gnu::noinline]] inline std::string compose(const char* sentence, std::initializer_list<piece> pieces) {
    std::string text;
    std::string_view rest = sentence;
    for (const piece& p : pieces) {
        const std::size_t place = rest.find("{}");
        if (place == rest.npos) break;
        text += rest.substr(0, place);
        p.append_to(text);
        rest.remove_prefix(place + 2);
    }
    text += rest;
    return text;
}

} // namespace closeside::host::detail

#endif
