// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_RENDER_IPP
#define CLOSESIDE_HOST_IMPL_RENDER_IPP

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/render.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace closeside::host {

CLOSESIDE_DECL std::string to_line(const finding& f) {
    std::string line = detail::compose("{} {}: ", {f.code, to_string(f.severity)});
    for (const finding::observation& o : f.observed) {
        line += &o == &f.observed.front() ? "[" : ", ";
        line += detail::compose("{}={}", {o.key, o.value});
    }
    if (!f.observed.empty()) line += "] ";
    line += f.message;
    if (f.occurrence == occurrence::happening) line += detail::compose("; happening now: {}", {f.evidence});
    line += detail::compose(". Effect: {}. Fix: {}.", {f.consequence, f.fix});
    return closeside::detail::readable(line);
}

namespace detail {

CLOSESIDE_DECL std::string_view colour_of(severity s) noexcept {
    switch (s) {
    case severity::note: return "\x1b[36m";
    case severity::warning: return "\x1b[33m";
    case severity::critical: return "\x1b[1;31m";
    }
    return "";
}

CLOSESIDE_DECL void append_paragraph(std::string& out, std::string_view label, std::string_view text,
                                     std::size_t width) {
    constexpr std::size_t indent = 11;
    std::string line = "  ";
    line += label;
    line.resize(indent, ' ');
    bool at_start = true;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(word.size() == text.size() ? word.size() : word.size() + 1);
        if (!at_start && line.size() + 1 + word.size() > width) {
            (out += line) += '\n';
            line.assign(indent, ' ');
            at_start = true;
        }
        if (!at_start) line += ' ';
        line += word;
        at_start = false;
    }
    (out += line) += '\n';
}

} // namespace detail

CLOSESIDE_DECL std::string to_text(const finding& f, const text_options& options) {
    const std::size_t width = options.width < 40 ? 40 : options.width;
    const auto paragraph = [&](std::string& out, std::string_view label, std::string_view text) {
        detail::append_paragraph(out, label, closeside::detail::readable(text), width);
    };
    std::string out;
    if (options.colour) out += detail::colour_of(f.severity);
    out += detail::compose("{} {}", {f.code, to_string(f.severity)});
    if (options.colour) out += "\x1b[0m";
    out += "\n";
    paragraph(out, "what", f.message);
    for (const finding::observation& o : f.observed)
        paragraph(out, "seen", detail::compose("{} = {} in {}", {o.key, o.value, o.where}));
    if (!f.evidence.empty()) paragraph(out, to_string(f.occurrence), f.evidence);
    paragraph(out, "effect", f.consequence);
    paragraph(out, "fix", f.fix);
    paragraph(out, "source", f.source);
    return out;
}

} // namespace closeside::host

#endif
