// SPDX-License-Identifier: BSL-1.0
#include "follow_page.hpp"

#include <algorithm>
#include <cstring>

namespace check::follow {

namespace {

// events/header_event: the first word of a record has 5 bits of type or length, and 27 of the time since the record
// before. Which end the bits are counted from follows the machine's order of bytes, and we run where the kernel does.
constexpr std::uint32_t largest_length = 28, padding = 29, time_extend = 30, time_stamp = 31;
constexpr unsigned type_bits = 5, delta_bits = 27;

struct head {
    std::uint32_t type;
    std::uint64_t delta;
};

head split(std::uint32_t word) {
    constexpr bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    if (little) return {word & ((1u << type_bits) - 1), word >> type_bits};
    return {word >> delta_bits, word & ((1u << delta_bits) - 1)};
}

template <class Number>
Number at(bytes data, std::size_t offset) {
    Number n;
    std::memcpy(&n, data.data() + offset, sizeof n);
    return n;
}

} // namespace

bool visit_page(const page_layout& layout, bytes page, const std::function<void(std::uint64_t, bytes)>& visit) {
    if (page.size() < layout.data.offset) return false;
    std::uint64_t now = at<std::uint64_t>(page, layout.timestamp.offset);
    const std::uint64_t commit = layout.commit.size == 8 ? at<std::uint64_t>(page, layout.commit.offset)
                                                         : at<std::uint32_t>(page, layout.commit.offset);
    // The bits above say that records are missing before this page; they are counted elsewhere.
    constexpr std::uint64_t length_bits = (1u << 20) - 1;
    bytes data = page.subspan(layout.data.offset);
    const std::uint64_t used = commit & length_bits;
    const bool whole = used <= data.size();
    data = data.first(static_cast<std::size_t>(std::min<std::uint64_t>(used, data.size())));

    while (data.size() >= sizeof(std::uint32_t)) {
        const head h = split(at<std::uint32_t>(data, 0));
        std::size_t size = sizeof(std::uint32_t);
        const bool with_word = h.type == 0 || h.type > largest_length;
        if (h.type == padding && h.delta == 0) return whole; // nothing more on this page
        if (with_word && data.size() < 2 * sizeof(std::uint32_t)) return false;
        const std::uint32_t word = with_word ? at<std::uint32_t>(data, sizeof(std::uint32_t)) : 0;
        if (h.type == time_extend || h.type == time_stamp) {
            const std::uint64_t time = (std::uint64_t{word} << delta_bits) + h.delta;
            constexpr std::uint64_t lower =
                (std::uint64_t{1} << 59) - 1; // an absolute time has no more bits than these
            now = h.type == time_extend ? now + time : (now & ~lower) | time;
            size = 2 * sizeof(std::uint32_t);
        } else {
            now += h.delta;
            // Of what is long, or has been discarded, the second word is the length, its own four bytes with it.
            const std::size_t payload = with_word ? 2 * sizeof(std::uint32_t) : sizeof(std::uint32_t);
            const std::size_t length = with_word ? word : h.type * sizeof(std::uint32_t);
            if (length > data.size() - sizeof(std::uint32_t) || (with_word && length < sizeof(std::uint32_t)))
                return false;
            size = sizeof(std::uint32_t) + length;
            if (h.type != padding) visit(now, data.subspan(payload, size - payload));
        }
        size = (size + 3) & ~std::size_t{3};
        if (size >= data.size()) return whole;
        data = data.subspan(size);
    }
    return whole;
}

} // namespace check::follow
