// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_SEGMENT_HPP
#define CLOSESIDE_TESTS_MODEL_SEGMENT_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace model {

enum class flag : std::uint8_t { ack, data, fin, rst };

/// A segment. Numbers count segments and not bytes; a FIN takes the number after the last data.
struct segment {
    flag what = flag::ack;
    std::uint8_t number = 0;
    std::uint8_t ack = 0;
};

inline std::uint8_t packed(segment s) {
    if (s.number > 7 || s.ack > 7) throw std::length_error("model: sequence number above 7");
    return static_cast<std::uint8_t>(static_cast<unsigned>(s.what) << 6 | static_cast<unsigned>(s.number) << 3 | s.ack);
}

inline segment unpacked(std::uint8_t byte) {
    return {static_cast<flag>(byte >> 6), static_cast<std::uint8_t>(byte >> 3 & 7),
            static_cast<std::uint8_t>(byte & 7)};
}

inline std::string to_string(segment s) {
    switch (s.what) {
    case flag::ack: return "ACK " + std::to_string(s.ack);
    case flag::data: return "data " + std::to_string(s.number) + " ACK " + std::to_string(s.ack);
    case flag::fin: return "FIN " + std::to_string(s.number) + " ACK " + std::to_string(s.ack);
    case flag::rst: return "RST " + std::to_string(s.number);
    }
    return "?";
}

/// The segments under way in one direction. Any of them may arrive next; equal ones are one, so it is kept as a set.
class channel {
public:
    std::size_t size() const { return count_; }
    segment operator[](std::size_t i) const { return unpacked(bytes_[i]); }

    void put(segment s) {
        const std::uint8_t byte = packed(s);
        const auto end = bytes_.begin() + count_;
        const auto place = std::lower_bound(bytes_.begin(), end, byte);
        if (place != end && *place == byte) return;
        if (count_ == bytes_.size()) throw std::length_error("model: too many segments under way");
        std::copy_backward(place, end, end + 1);
        *place = byte;
        ++count_;
    }

    segment take(std::size_t i) {
        const segment s = unpacked(bytes_[i]);
        const auto place = bytes_.begin() + static_cast<std::ptrdiff_t>(i);
        std::copy(place + 1, bytes_.begin() + count_, place);
        bytes_[--count_] = 0;
        return s;
    }

    /// Drops pure ACKs below `ack`: the receiver has had a later one, and an RST in answer to them would be too old.
    void forget_acks(std::uint8_t ack) {
        for (std::size_t i = count_; i-- > 0;)
            if ((*this)[i].what == flag::ack && (*this)[i].ack < ack) take(i);
    }

    /// Data or FIN of this number is under way.
    bool carries(std::uint8_t number) const {
        return std::any_of(bytes_.begin(), bytes_.begin() + count_, [&](std::uint8_t byte) {
            const segment s = unpacked(byte);
            return (s.what == flag::data || s.what == flag::fin) && s.number == number;
        });
    }

    bool carries_reset() const { return count_ > 0 && (*this)[count_ - 1u].what == flag::rst; } // sorted last

private:
    std::array<std::uint8_t, 15> bytes_{};
    std::uint8_t count_ = 0;
};

inline std::string to_string(const channel& c) {
    std::string text;
    for (std::size_t i = 0; i < c.size(); ++i) text += (i != 0 ? ", " : "") + to_string(c[i]);
    return "{" + text + "}";
}

} // namespace model

#endif
