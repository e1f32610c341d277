// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/render.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <string_view>

namespace check {

namespace host = closeside::host;

namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string counted(std::size_t n, const std::string& one, const std::string& many) {
    return std::to_string(n) + " " + (n == 1 ? one : many);
}

/// `12.0 s`; the locale has no say in it.
std::string seconds(std::chrono::duration<double> time) {
    const auto tenths = std::lround(time.count() * 10);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

/// Without half a word at its end.
std::string cut(std::string text, std::size_t width) {
    constexpr std::string_view more = "...";
    if (text.size() <= width) return text;
    text.resize(width - std::min(width, more.size()));
    text.resize(std::min(text.size(), text.find_last_of(' ')));
    return text + std::string(more);
}

/// Where a setting has to be made if not here.
std::string elsewhere(const host::finding& f, const host::snapshot& seen) {
    if (seen.space != host::network_namespace::child) return seen.read_only ? " on the host" : "";
    const bool hosts_alone = std::ranges::any_of(f.settings, [](const host::finding::setting& s) {
        const auto k = host::find_key(s.key);
        return k && host::detail::facts(*k).reach == host::detail::key_reach::host;
    });
    return hosts_alone ? " on the host" : seen.read_only ? " where the container is started" : "";
}

/// What to do, in a few words: the settings, or how the sentence about it begins.
std::string short_fix(const host::finding& f, const host::snapshot& seen) {
    if (f.settings.empty()) return f.fix.substr(0, std::min(f.fix.find("; "), f.fix.find(": ")));
    std::string text;
    for (const host::finding::setting& s : f.settings) text += (text.empty() ? "set " : ", ") + s.key + "=" + s.value;
    return text + elsewhere(f, seen);
}

/// On a terminal a line fits into it, so that a column of codes remains; elsewhere it is whole, for grep.
void print_line(std::ostream& out, const host::finding& f, const host::snapshot& seen, const terminal& on) {
    constexpr std::size_t severity_width = 8, least_message = 30;
    std::string severity = to_string(f.severity);
    severity.resize(severity_width, ' ');
    const std::string head = std::string(f.code) + " " + severity + "  ";
    std::string message = f.occurrence == host::occurrence::happening ? "happening now: " + f.message : f.message;
    message = closeside::detail::printable(message);
    std::string fix = " -> " + closeside::detail::printable(short_fix(f, seen));
    if (on.width != 0) {
        const std::size_t room = on.width - std::min(on.width, head.size());
        message = cut(std::move(message), std::max(least_message, room - std::min(room, fix.size())));
        fix = cut(std::move(fix), room - std::min(room, message.size()));
    }
    if (on.colour) out << host::detail::colour_of(f.severity);
    out << head;
    if (on.colour) out << "\x1b[0m";
    out << message << fix << "\n";
}

std::string describe(const host::suppression& s) {
    return (s.until ? " until " + host::detail::format_date(*s.until) : " for good") +
           (s.reason.empty() ? "" : ": " + closeside::detail::printable(s.reason));
}

void print_head(std::ostream& out, const report& r) {
    const host::snapshot& seen = r.seen;
    out << "Linux " << (seen.kernel.empty() ? "of unknown release" : seen.kernel) << ", network namespace "
        << (seen.netns ? std::to_string(*seen.netns) : "unknown") << " ("
        << (seen.space == host::network_namespace::unknown ? "whether initial or child is not known"
                                                           : to_string(seen.space))
        << "); judged for closing by " << joined(r.asked.assumed) << ", exposure " << to_string(r.asked.program.peers);
    if (r.earlier) out << "; watched for " << seconds(watched(r));
    out << "\n\n";
}

} // namespace

void print_text(std::ostream& out, const report& r, const terminal& on, bool verbose) {
    print_head(out, r);
    std::array<std::size_t, 3> count{};
    std::size_t suppressed = 0;
    std::string remarks;
    for (const judged& j : r.findings) {
        const std::string code(j.finding.code);
        if (j.suppressed) {
            ++suppressed;
            if (verbose)
                remarks += code + " " + to_string(j.finding.severity) + " ignored" + describe(*j.suppression) + "\n";
            continue;
        }
        if (j.suppression) remarks += code + " counts again: it was to be ignored" + describe(*j.suppression) + "\n";
        ++count[static_cast<std::size_t>(j.finding.severity)];
        if (verbose)
            out << to_text(j.finding, {.colour = on.colour, .width = on.width != 0 ? on.width : 100}) << "\n";
        else
            print_line(out, j.finding, r.seen, on);
    }
    if (!verbose && count != std::array<std::size_t, 3>{}) out << "\n";
    out << remarks << count[2] << " critical, " << counted(count[1], "warning", "warnings") << ", "
        << counted(count[0], "note", "notes");
    if (suppressed != 0) out << ", " << suppressed << " ignored";
    if (!verbose && on.width != 0) out << " (-v tells what users will see, and how to fix it)";
    out << "\n";
}

} // namespace check
