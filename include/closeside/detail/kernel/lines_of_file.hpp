// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_LINES_OF_FILE_HPP
#define CLOSESIDE_DETAIL_KERNEL_LINES_OF_FILE_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace closeside::detail {

/// Puts together the lines of a text that comes in pieces, cut anywhere.
/** A line of more than 512 characters is cut off there where it comes in pieces: no table of /proc/net has one. */
class line_splitter {
public:
    /// Calls `on_line(std::string_view)` for each line that ends in this piece.
    template <class OnLine>
    void add_piece(std::string_view piece, OnLine&& on_line) {
        while (!piece.empty()) {
            const void* const found = std::memchr(piece.data(), '\n', piece.size());
            if (!found) return keep(piece);
            const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - piece.data());
            if (kept_ == 0) {
                on_line(piece.substr(0, length));
            } else {
                keep(piece.substr(0, length));
                on_line(std::string_view(line_, std::exchange(kept_, 0)));
            }
            piece.remove_prefix(length + 1);
        }
    }

    /// The text has begun a line that has not ended.
    bool is_within_line() const noexcept { return kept_ != 0; }

private:
    void keep(std::string_view part) noexcept {
        const std::size_t n = std::min(part.size(), sizeof line_ - kept_);
        std::memcpy(line_ + kept_, part.data(), n);
        kept_ += n;
    }

    std::size_t kept_ = 0;
    char line_[512];
};

/// Calls `on_piece(std::string_view)` for what a regular file holds, as it comes; returns 0 or an errno. Opens nothing
/// else, so that nothing blocks. Before each piece `is_over()` is asked, and ends it.
template <class OnPiece, class IsOver>
int for_each_piece(int directory, const char* name, OnPiece&& on_piece, IsOver&& is_over) {
    const opened_file file = open_regular_file(directory, name);
    if (!file.descriptor) return file.error;
    char buffer[8192]; // the kernel prints no more than a page at a time (seq_read)
    while (!is_over()) {
        const ssize_t n = ::read(file.descriptor.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return 0;
        on_piece(std::string_view(buffer, static_cast<std::size_t>(n)));
    }
    return 0;
}

} // namespace closeside::detail

#endif
