// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_RENDER_HPP
#define CLOSESIDE_HOST_RENDER_HPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/finding.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace closeside::host {

/// One line for a log, without the line end: `CS101 critical: [net.ipv4.tcp_rfc1337=1] message. Effect: … Fix: …`.
/** Printable ASCII whatever the host's files held; a tab in a value is a blank. */
[[gnu::cold]] CLOSESIDE_DECL std::string to_line(const finding& f);

/// How to_text looks.
struct text_options {
    /// ANSI colours, for a terminal.
    bool colour = false;
    /// Where lines are broken, in columns; no less than 40.
    std::size_t width = 100;
};

namespace detail {

CLOSESIDE_DECL std::string_view colour_of(severity s) noexcept;

/// `  label   text …`, broken between words, the later lines below the text.
[[gnu::cold]] CLOSESIDE_DECL void append_paragraph(std::string& out, std::string_view label, std::string_view text,
                                                   std::size_t width);

} // namespace detail

/// Several lines for a person, each with a line end; colours and line ends apart, printable ASCII.
[[gnu::cold]] CLOSESIDE_DECL std::string to_text(const finding& f, const text_options& options = {});

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/render.ipp>
#endif

#endif
