// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_PROC_NET_TCP_ROW_HPP
#define CLOSESIDE_DETAIL_KERNEL_PROC_NET_TCP_ROW_HPP

#include <closeside/detail/kernel/tcp_state.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

#include <netinet/in.h>

namespace closeside::detail {

/// A row of /proc/net/tcp or /proc/net/tcp6.
struct tcp_entry {
    in6_addr local{}; ///< IPv4 as v4-mapped
    std::uint16_t local_port = 0;
    in6_addr remote{};
    std::uint16_t remote_port = 0;
    tcp_state state = tcp_state::unknown;
    unsigned timer = 0;      ///< which one runs, by the kernel's number
    unsigned uid = 0;        ///< its owner, where a descriptor holds it
    unsigned long inode = 0; ///< 0: no descriptor holds it
    long seconds_left = 0;   ///< of the running timer, e.g. of TIME-WAIT
};

inline in6_addr mapped(std::uint32_t v4_network_order) noexcept {
    in6_addr a{};
    a.s6_addr[10] = a.s6_addr[11] = 0xff;
    std::memcpy(&a.s6_addr[12], &v4_network_order, 4);
    return a;
}

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
    /// A decimal number, with blanks before it where the kernel right-aligns it.
    template <class Integer>
    Integer decimal() noexcept {
        skip_blanks();
        Integer value = 0;
        const auto [end, error] = std::from_chars(at_, end_, value);
        ok = ok && error == std::errc{};
        at_ = end;
        return value;
    }
    /// Hexadecimal digits, of `width` or of any number but none.
    std::uint64_t hexadecimal(std::size_t width = 0) noexcept {
        const char* const begin = at_;
        std::uint64_t value = 0;
        for (int digit; at_ != end_ && (digit = digit_of(*at_)) >= 0; ++at_)
            value = value << 4 | static_cast<std::uint64_t>(digit);
        const auto digits = static_cast<std::size_t>(at_ - begin);
        ok = ok && (width == 0 ? digits != 0 : digits == width);
        return value;
    }
    /// An address, printed as 32-bit words in host byte order: one, or four for IPv6.
    in6_addr address() noexcept {
        std::uint32_t words[4] = {};
        std::size_t count = 0;
        for (; count != 4 && at_ != end_ && *at_ != ':'; ++count) words[count] = word();
        ok = ok && (count == 1 || count == 4);
        if (count == 1) return mapped(words[0]);
        in6_addr a;
        std::memcpy(&a, words, sizeof a);
        return a;
    }

    bool ok = true;

private:
    static int digit_of(char c) noexcept {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    }

    std::uint32_t word() noexcept {
        std::uint32_t value = 0;
        for (int digits = 0; digits != 8; ++digits, ++at_) {
            const int digit = at_ != end_ ? digit_of(*at_) : -1;
            if (digit < 0) {
                ok = false;
                break;
            }
            value = value << 4 | static_cast<std::uint32_t>(digit);
        }
        return value;
    }

    const char* at_;
    const char* end_;
};

/// `0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 …`: address and port of both ends, state, queues,
/// timer. Blanks may stand in front; an IPv6 address has 32 digits. False if that is not what stands there.
inline bool parse_row_head(row_cursor& row, tcp_entry& e) noexcept {
    row.decimal<unsigned long>();
    row.expect(':');
    row.expect(' ');
    e.local = row.address();
    row.expect(':');
    e.local_port = static_cast<std::uint16_t>(row.hexadecimal(4));
    row.expect(' ');
    e.remote = row.address();
    row.expect(':');
    e.remote_port = static_cast<std::uint16_t>(row.hexadecimal(4));
    row.expect(' ');
    e.state = static_cast<tcp_state>(row.hexadecimal(2));
    row.expect(' ');
    row.hexadecimal(8);
    row.expect(':');
    row.hexadecimal(8);
    row.expect(' ');
    e.timer = static_cast<unsigned>(row.hexadecimal(2));
    row.expect(':');
    return row.ok;
}

/// The same with what follows: the time that is left, retransmissions, owner, time-outs, inode.
inline bool parse_row(std::string_view line, tcp_entry& e) noexcept {
    row_cursor row(line);
    if (!parse_row_head(row, e)) return false;
    constexpr std::uint64_t ticks_per_second = 100; // clock_t ticks: USER_HZ is 100
    e.seconds_left = static_cast<long>(row.hexadecimal() / ticks_per_second);
    row.expect(' ');
    row.hexadecimal();
    e.uid = row.decimal<unsigned>();
    row.decimal<long>();
    e.inode = row.decimal<unsigned long>();
    return row.ok;
}

} // namespace closeside::detail

#endif
