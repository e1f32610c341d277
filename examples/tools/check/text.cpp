// SPDX-License-Identifier: BSL-1.0
#include "fill.hpp"
#include "report.hpp"

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/detail/bad_values.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/render.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace check {

namespace host = closeside::host;

namespace {

using closeside::detail::readable;

/// Where the text of a finding begins, behind its code and its severity.
constexpr std::size_t text_column = 16;

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

/// Where a setting has to be made if not here.
std::string elsewhere(const host::finding& f, const host::snapshot& seen) {
    if (seen.space != host::network_namespace::child) return seen.read_only ? " on the host" : "";
    const bool hosts_alone = std::ranges::any_of(f.settings, [](const host::finding::setting& s) {
        const auto k = host::find_key(s.key);
        return k && host::detail::facts(*k).reach == host::detail::key_reach::host;
    });
    return hosts_alone ? " on the host" : seen.read_only ? " where the container is started" : "";
}

/// The settings, or the sentence about what helps: where no setting does, or a line of a file is to be changed.
std::string short_fix(const host::finding& f, const host::snapshot& seen) {
    const host::detail::rule* const rule = host::detail::find_rule(f.code);
    const bool about_files = rule && host::detail::is_about_files(*rule);
    if (f.settings.empty() || about_files || f.when == host::moment::next_boot) return f.fix;
    std::string text;
    for (const host::finding::setting& s : f.settings) text += (text.empty() ? "set " : ", ") + s.key + "=" + s.value;
    return text + elsewhere(f, seen);
}

/// `CS101 critical  title`, in colours.
void add_title(std::string& out, const host::finding& f, const terminal& on) {
    std::string severity = to_string(f.severity);
    severity.resize(text_column - f.code.size() - 1, ' ');
    std::string head;
    if (on.colour) head += host::detail::colour_of(f.severity);
    head += std::string(f.code) + " " + severity;
    if (on.colour) head += "\x1b[0m";
    const host::detail::rule* const rule = host::detail::find_rule(f.code);
    fill(out, head, text_column,
         (f.when == host::moment::next_boot             ? "at the next boot: "
          : f.occurrence == host::occurrence::happening ? "happening now: "
                                                        : "") +
             std::string(rule ? rule->title : std::string_view(f.message)),
         on.width);
}

void add_briefly(std::string& out, const host::finding& f, const host::snapshot& seen, const terminal& on) {
    const std::string blanks(text_column, ' ');
    add_title(out, f, on);
    fill(out, blanks, text_column, readable(f.message), on.width);
    fill(out, blanks + "-> ", text_column + 3, readable(short_fix(f, seen)), on.width);
}

void add_wholly(std::string& out, const host::finding& f, const terminal& on) {
    constexpr std::size_t label_column = 11;
    const auto paragraph = [&](std::string label, const std::string& text) {
        label.resize(label_column - 2, ' ');
        fill(out, "  " + label, label_column, readable(text), on.width);
    };
    add_title(out, f, on);
    paragraph("what", f.message);
    for (const host::finding::observation& o : f.observed)
        paragraph("seen", o.key + " = " + o.value + " in " + o.where);
    if (!f.evidence.empty()) paragraph(to_string(f.occurrence), f.evidence);
    paragraph("effect", f.consequence);
    paragraph("fix", f.fix);
    paragraph("source", f.source);
}

std::string describe(const host::suppression& s) {
    return (s.until ? " until " + host::detail::format_date(*s.until) : " for good") +
           (s.reason.empty() ? "" : ": " + readable(s.reason));
}

void add_head(std::string& out, const report& r, const terminal& on) {
    const host::snapshot& seen = r.seen;
    std::string text = "Linux " + (seen.kernel.empty() ? "of unknown release" : seen.kernel) + ", network namespace " +
                       (seen.netns ? std::to_string(*seen.netns) : "unknown") + " (" +
                       (seen.space == host::network_namespace::unknown ? "whether initial or child is not known"
                                                                       : to_string(seen.space)) +
                       "); judged for closing by " + joined(r.asked.assumed) + ", exposure " +
                       to_string(r.asked.program.peers);
    if (r.earlier) text += "; watched for " + seconds(watched(r));
    fill(out, "", 2, readable(text), on.width);
    out += "\n";
}

/// What stands behind the findings: what was left out, and how many there are of each severity.
struct closing_lines {
    std::array<std::size_t, 3> count{};
    std::size_t suppressed = 0;
    std::vector<std::string> standing{};
    std::vector<std::string> remarks{};
};

void add(std::string& out, const closing_lines& lines, const terminal& on, bool verbose) {
    if (!lines.standing.empty())
        fill(out, "", 2,
             counted(lines.standing.size(), "standing note, as on any host with the kernel's defaults: ",
                     "standing notes, as on any host with the kernel's defaults: ") +
                 joined(lines.standing) + " (--all shows " + (lines.standing.size() == 1 ? "it)" : "them)"),
             on.width);
    for (const std::string& remark : lines.remarks) fill(out, "", 2, remark, on.width);
    std::string sum = std::to_string(lines.count[2]) + " critical, " + counted(lines.count[1], "warning", "warnings") +
                      ", " + counted(lines.count[0], "note", "notes");
    if (lines.suppressed != 0) sum += ", " + std::to_string(lines.suppressed) + " ignored";
    if (!verbose && on.interactive) sum += " (-v tells what users will see, and how to fix it)";
    fill(out, "", 2, sum, on.width);
}

} // namespace

void print_text(std::ostream& out, const report& r, const terminal& on, text_choice choice) {
    std::string text;
    add_head(text, r, on);
    closing_lines closing;
    for (const judged& j : r.findings) {
        const std::string code(j.finding.code);
        if (j.suppressed) {
            ++closing.suppressed;
            if (choice.verbose)
                closing.remarks.push_back(code + " " + to_string(j.finding.severity) + " ignored" +
                                          describe(*j.suppression));
            continue;
        }
        if (j.suppression)
            closing.remarks.push_back(code + " counts again: it was to be ignored" + describe(*j.suppression));
        ++closing.count[static_cast<std::size_t>(j.finding.severity)];
        if (is_standing(j.finding) && !choice.all) {
            closing.standing.push_back(code);
            continue;
        }
        if (choice.verbose)
            add_wholly(text, j.finding, on);
        else
            add_briefly(text, j.finding, r.seen, on);
        text += "\n";
    }
    add(text, closing, on, choice.verbose);
    out << text;
}

} // namespace check
