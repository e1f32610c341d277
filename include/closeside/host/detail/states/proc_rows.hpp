// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_PROC_ROWS_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_PROC_ROWS_HPP

#include <closeside/host/detail/states/tcp_states.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace closeside::host::detail {

/// What is counted of a row of /proc/net/tcp or tcp6.
struct proc_row {
    std::uint16_t local_port = 0;
    std::uint8_t state = 0;
    std::uint8_t timer = 0;
};

/// Takes a row apart from left to right; once something is not as it should be, `ok` stays false.
class row_cursor {
public:
    explicit row_cursor(std::string_view row) noexcept : at_(row.data()), end_(row.data() + row.size()) {}

    void skip_blanks() noexcept {
        while (at_ != end_ && *at_ == ' ') ++at_;
    }
    void expect(char c) noexcept {
        if (at_ != end_ && *at_ == c)
            ++at_;
        else
            ok = false;
    }
    void skip_decimal() noexcept {
        const char* const begin = at_;
        while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
        ok = ok && at_ != begin;
    }
    /// Hexadecimal digits, and how many there were.
    std::uint32_t hexadecimal(std::size_t& digits) noexcept {
        const char* const begin = at_;
        std::uint32_t value = 0;
        for (int digit; at_ != end_ && (digit = digit_of(*at_)) >= 0; ++at_)
            value = value << 4 | static_cast<std::uint32_t>(digit);
        digits = static_cast<std::size_t>(at_ - begin);
        return value;
    }
    std::uint32_t hexadecimal_of(std::size_t width) noexcept {
        std::size_t digits = 0;
        const std::uint32_t value = hexadecimal(digits);
        ok = ok && digits == width;
        return value;
    }

    bool ok = true;

private:
    static int digit_of(char c) noexcept {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    }

    const char* at_;
    const char* end_;
};

/// `0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 …`: address and port of both ends, state, queues,
/// timer. Blanks may stand in front; an IPv6 address has 32 digits. What follows the timer is not looked at.
inline std::optional<proc_row> parse_proc_row(std::string_view line) noexcept {
    row_cursor row(line);
    row.skip_blanks();
    row.skip_decimal();
    row.expect(':');
    std::uint16_t ports[2] = {};
    for (std::uint16_t& port : ports) {
        row.expect(' ');
        std::size_t digits = 0;
        row.hexadecimal(digits);
        row.ok = row.ok && (digits == 8 || digits == 32);
        row.expect(':');
        port = static_cast<std::uint16_t>(row.hexadecimal_of(4));
    }
    row.expect(' ');
    const auto state = static_cast<std::uint8_t>(row.hexadecimal_of(2));
    row.expect(' ');
    row.hexadecimal_of(8);
    row.expect(':');
    row.hexadecimal_of(8);
    row.expect(' ');
    const auto timer = static_cast<std::uint8_t>(row.hexadecimal_of(2));
    row.expect(':');
    if (!row.ok) return std::nullopt;
    return proc_row{ports[0], state, timer};
}

/// Counts the rows of a file that comes in pieces, cut anywhere.
class proc_row_counter {
public:
    /// `local_port` 0: every row.
    proc_row_counter(tcp_states& to, std::uint16_t local_port) noexcept : to_(to), local_port_(local_port) {}

    void add_piece(std::string_view piece) noexcept {
        while (!piece.empty()) {
            const void* const found = std::memchr(piece.data(), '\n', piece.size());
            if (!found) return keep(piece);
            const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - piece.data());
            if (kept_ == 0) {
                add_line(piece.substr(0, length));
            } else {
                keep(piece.substr(0, length));
                add_line(std::string_view(line_, kept_));
                kept_ = 0;
            }
            piece.remove_prefix(length + 1);
        }
    }

    /// A last row without line end was cut short, and so was a file without the heading.
    void add_end() noexcept {
        if (kept_ != 0 || !headed_) ++to_.malformed;
        kept_ = 0;
    }

private:
    /// A row has 150 characters, or some 190 with IPv6; what is longer stays malformed when it is cut off here.
    void keep(std::string_view part) noexcept {
        const std::size_t n = std::min(part.size(), sizeof line_ - kept_);
        std::memcpy(line_ + kept_, part.data(), n);
        kept_ += n;
    }

    void add_line(std::string_view line) noexcept {
        if (!headed_) {
            headed_ = true;
            constexpr std::string_view heading = "  sl  local_address";
            if (!line.starts_with(heading)) ++to_.malformed;
            return;
        }
        const std::optional<proc_row> row = parse_proc_row(line);
        if (!row)
            ++to_.malformed;
        else if (local_port_ == 0 || local_port_ == row->local_port)
            add(to_, row->state, row->timer);
    }

    tcp_states& to_;
    const std::uint16_t local_port_;
    bool headed_ = false;
    std::size_t kept_ = 0;
    char line_[512];
};

} // namespace closeside::host::detail

#endif
