// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/detail/sysctl_d/known_keys.hpp>
#include <closeside/host/detail/sysctl_d/procps_package.hpp>
#include <closeside/host/suppression.hpp>

#include <string>

// Small texts: releases of kernels and of procps, lists of packages, suppressions, and what is printed of any.
namespace fuzz {

namespace kernel_release {

using closeside::host::detail::parse_kernel_version;

void run(input in) {
    const auto version = parse_kernel_version(in.rest());
    if (!version) return;
    require(version->major >= 0 && version->minor >= 0, "the numbers of a release are not negative");
    const std::string printed = std::to_string(version->major) + "." + std::to_string(version->minor);
    require(parse_kernel_version(printed) == version, "a release that is printed is the same release");
    require(parse_kernel_version(printed + "-rc1+") == version, "a vendor's addition does not matter");
}

const target here("kernel_release", run);

} // namespace kernel_release

namespace package_list {

using namespace closeside::host::detail::sysctl_d;

void run(input in) {
    const std::string_view text = in.rest();
    const std::string_view version = field_of(text, "Package: ", "procps", "Version: ");
    require(version.empty() || (version.data() >= text.data() && version.data() < text.data() + text.size()),
            "a field is a part of the list");
    require(version.find('\n') == version.npos, "a field is one line");
    for (const auto& found : {procps_of_version(version), procps_of_version(text), procps_of_library(text)}) {
        if (!found) continue;
        require(!found->possible.empty(), "a version is of some release");
        require(!has_control_byte(found->name), "a version is printable");
    }
    const auto gone = find_retirement(text);
    require(!gone || gone->key != nullptr, "what is retired is a key that was there");
}

const target here("package_list", run);

} // namespace package_list

namespace suppressions {

using namespace closeside::host;

std::string written(const suppression& s) {
    std::string line(s.code);
    if (s.until) line += " until=" + detail::format_date(*s.until);
    if (!s.reason.empty()) line += " " + s.reason;
    return line;
}

void run(input in) {
    const std::string_view text = in.rest();
    const suppression_list found = detail::parse_suppressions(text, "a\x1b file");
    for (const std::string& problem : found.problems) require(!has_control_byte(problem), "a problem is printable");
    for (const suppression& s : found.entries) {
        const suppression_list again = detail::parse_suppressions(written(s), "again");
        require(again.problems.empty() && again.entries.size() == 1, "a suppression that is printed is one");
        require(again.entries.front() == s, "a suppression that is printed is the same one");
    }
    if (const auto day = detail::parse_date(text))
        require(detail::format_date(*day) == text, "a day that is printed is the same text");
}

const target here("suppressions", run);

} // namespace suppressions

namespace printable_text {

using namespace closeside::detail;

/// Takes `\xNN` away.
std::string unescaped(std::string_view text) {
    std::string plain;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text.substr(i, 2) == "\\x" && i + 4 <= text.size()) {
            plain += static_cast<char>(digit(text[i + 2]) << 4 | digit(text[i + 3]));
            i += 3;
        } else {
            plain += text[i];
        }
    return plain;
}

void run(input in) {
    const std::string_view text = in.rest();
    for (const std::string& shown : {printable(text), readable(text), printable_excerpt(text), quoted(text)})
        for (const char c : shown) require(closeside::detail::is_printable(c), "what is printed is printable");
    require(printable(text).size() <= 4 * text.size(), "an escape has four characters");
    require(printable_excerpt(text).size() <= 4 * 40 + 3, "an excerpt is short");
    const std::string in_quotes = quoted(text);
    require(in_quotes.find('\'', 1) == in_quotes.size() - 1, "what is quoted does not end early");
    require(unescaped(std::string_view(in_quotes).substr(1, in_quotes.size() - 2)) == text, "a quote can be undone");
    if (is_one_printable_line(text)) require(!has_control_byte(text), "one printable line steers nothing");
}

const target here("printable_text", run);

} // namespace printable_text

} // namespace fuzz
