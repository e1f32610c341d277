// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_FUZZ_TARGET_HPP
#define CLOSESIDE_TESTS_FUZZ_TARGET_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace fuzz {

/// Arbitrary bytes, taken off the front. Behind their end there are zeroes and empty texts.
class input {
public:
    explicit input(std::span<const std::uint8_t> bytes) noexcept : left_(bytes) {}
    explicit input(std::string_view text) noexcept
        : left_(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()) {}

    bool empty() const noexcept { return left_.empty(); }
    std::size_t size() const noexcept { return left_.size(); }

    template <class Number>
    Number take() noexcept {
        static_assert(std::is_integral_v<Number>);
        Number n{};
        const std::size_t size = std::min(sizeof n, left_.size());
        if (size != 0) std::memcpy(&n, left_.data(), size);
        left_ = left_.subspan(size);
        return n;
    }

    /// One of the first `n` numbers.
    std::size_t below(std::size_t n) noexcept { return take<std::uint8_t>() % n; }
    bool flag() noexcept { return (take<std::uint8_t>() & 1) != 0; }

    std::span<const std::uint8_t> take_bytes(std::size_t n) noexcept {
        const auto taken = left_.first(std::min(n, left_.size()));
        left_ = left_.subspan(taken.size());
        return taken;
    }
    /// Up to the next line that consists of `%%`, or all that is left.
    std::string_view take_part() noexcept {
        constexpr std::string_view between = "\n%%\n";
        const std::string_view text = as_text(left_);
        const std::size_t end = text.find(between);
        left_ = left_.subspan(end == text.npos ? left_.size() : end + between.size());
        return text.substr(0, end);
    }
    std::string_view take_line() noexcept {
        const std::string_view line = as_text(left_).substr(0, as_text(left_).find('\n'));
        left_ = left_.subspan(std::min(line.size() + 1, left_.size()));
        return line;
    }
    std::string_view rest() noexcept { return as_text(take_bytes(left_.size())); }

private:
    static std::string_view as_text(std::span<const std::uint8_t> bytes) noexcept {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    std::span<const std::uint8_t> left_;
};

/// Ends the program with that sentence if it is not so.
void require(bool holds, const char* what) noexcept;

/// What steers a terminal, or ends a line; a tab is what the kernel puts between numbers.
constexpr bool has_control_byte(std::string_view text) noexcept {
    for (std::size_t i = 0; i != text.size(); ++i) {
        const char c = text[i];
        if ((c >= '\0' && c < ' ' && c != '\t') || c == '\x7f') return true;
        // U+0080 to U+009F
        if (c == '\xc2' && i + 1 != text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
    }
    return false;
}

/// What is given arbitrary bytes. A file of targets has one such object for each; `name` is its room in the corpus.
class target {
public:
    target(const char* name, void (*run)(input)) noexcept;

    const char* name() const noexcept { return name_; }
    /// Plays `bytes`, which may take a second of processor time at most.
    void play(std::span<const std::uint8_t> bytes) const;

    /// Of the targets in this program.
    static const target* first() noexcept;
    const target* next() const noexcept { return next_; }

private:
    const char* name_;
    void (*run_)(input);
    const target* next_;
};

} // namespace fuzz

#endif
