// SPDX-License-Identifier: BSL-1.0
#include "explain.hpp"
#include "fill.hpp"
#include "lint.hpp"
#include "sarif.hpp"

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/render.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <ostream>
#include <string_view>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;
using closeside::detail::readable;
using json = nlohmann::ordered_json;

const key_text* text_of(host::key k) {
    const auto& all = explanations().keys;
    const auto found = std::ranges::find(all, k, [](const key_text* t) { return t->key; });
    return found == all.end() ? nullptr : *found;
}

std::string in_words(const place& p) { return p.line == 0 ? p.file : p.file + ":" + std::to_string(p.line); }

/// Everything that is said of one line, or of a file.
struct section {
    const lint_line* line = nullptr;
    std::vector<const placed_finding*> findings;
    std::vector<const placed_problem*> problems;

    bool has_something() const {
        return std::ranges::any_of(findings, [](const auto* f) { return !f->what.suppressed; }) ||
               std::ranges::any_of(problems, [](const auto* p) { return !p->suppressed; });
    }
};

/// In the order of the files; what no line leads to comes first.
std::vector<std::pair<place, section>> sections_of(const lint_report& r) {
    std::map<std::string, std::size_t> order;
    for (const std::string& file : r.view.files) order.emplace(file, order.size() + 1);
    std::map<std::pair<std::size_t, unsigned>, std::pair<place, section>> all;
    const auto at = [&](const place& p) -> section& {
        const auto file = order.find(p.file);
        auto& [where, found] = all[{file == order.end() ? 0 : file->second, p.line}];
        where = p;
        return found;
    };
    for (const lint_line& l : r.lines) at(l.where).line = &l;
    for (const placed_finding& f : r.findings) at(f.places.empty() ? place{} : f.places.front()).findings.push_back(&f);
    for (const placed_problem& p : r.problems) at({p.what.file, p.what.line}).problems.push_back(&p);
    std::vector<std::pair<place, section>> ordered;
    for (auto& [key, value] : all) ordered.push_back(std::move(value));
    return ordered;
}

class lint_page {
public:
    lint_page(std::ostream& out, const terminal& on) : out_(&out), colour_(on.colour), width_(on.width) {}

    void paragraph(std::string_view label, std::string_view text) {
        if (text.empty()) return;
        std::string lines;
        host::detail::append_paragraph(lines, label, readable(text), width_);
        *out_ << lines;
    }

    /// `CS101 critical  title`, as in what the audit prints.
    void title(std::string_view code, host::severity s) {
        constexpr std::size_t column = 18;
        std::string severity = to_string(s);
        severity.resize(column - 2 - code.size() - 1, ' ');
        std::string head = "  ";
        if (colour_) head += host::detail::colour_of(s);
        head += std::string(code) + " " + severity;
        if (colour_) head += "\x1b[0m";
        const host::detail::rule* const rule = host::detail::find_rule(code);
        std::string lines;
        fill(lines, head, column, rule ? std::string(rule->title) : std::string(), width_);
        *out_ << lines;
    }

    void heading(const place& where, const section& of) {
        std::string text = in_words(where);
        if (of.line) text += ": " + std::string(to_string(of.line->key)) + " = " + of.line->value;
        *out_ << (colour_ ? "\x1b[1m" : "") << readable(text) << (colour_ ? "\x1b[0m" : "") << "\n";
    }

    void print(const placed_finding& f) {
        const host::finding& what = f.what.finding;
        title(what.code, what.severity);
        paragraph("what", what.message);
        paragraph("effect", what.consequence);
        paragraph("fix", what.fix);
        std::string others;
        for (std::size_t i = 1; i < f.places.size(); ++i)
            others += (others.empty() ? "" : ", ") + in_words(f.places[i]);
        paragraph("with", others);
    }

    void print(const lint_line& l) {
        paragraph("line", l.verdict);
        const key_text* const text = text_of(l.key);
        if (!text) return;
        paragraph("does", text->does);
        if (!text->belief.empty())
            paragraph("belief", "'" + std::string(text->belief) + "' " + std::string(text->fact));
    }

private:
    std::ostream* out_;
    bool colour_;
    std::size_t width_;
};

std::array<std::size_t, 3> counts_of(const lint_report& r) {
    std::array<std::size_t, 3> counts{};
    for (const placed_finding& f : r.findings)
        if (!f.what.suppressed) ++counts[static_cast<std::size_t>(f.what.finding.severity)];
    for (const placed_problem& p : r.problems)
        if (!p.suppressed) ++counts[static_cast<std::size_t>(p.what.severity)];
    return counts;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

json to_json(const place& p) { return {{"file", p.file}, {"line", p.line == 0 ? json(nullptr) : json(p.line)}}; }

json to_json(const placed_finding& f) {
    const host::finding& what = f.what.finding;
    json observed = json::object(), where = json::object(), settings = json::object(), places = json::array();
    for (const host::finding::observation& o : what.observed) {
        observed[o.key] = o.value;
        where[o.key] = o.where;
    }
    for (const host::finding::setting& s : what.settings) settings[s.key] = s.value;
    for (const place& p : f.places) places.push_back(to_json(p));
    const place first = f.places.empty() ? place{} : f.places.front();
    return {{"code", what.code},
            {"severity", to_string(what.severity)},
            {"keys", what.keys},
            {"observed", std::move(observed)},
            {"where", std::move(where)},
            {"message", what.message},
            {"consequence", what.consequence},
            {"fix", what.fix},
            {"source", what.source},
            {"settings", std::move(settings)},
            {"file", first.file.empty() ? json(nullptr) : json(first.file)},
            {"line", first.line == 0 ? json(nullptr) : json(first.line)},
            {"places", std::move(places)},
            {"suppressed", f.what.suppressed}};
}

json to_json(const placed_problem& p) {
    return {{"kind", to_string(p.what.kind)},
            {"code", p.code},
            {"severity", to_string(p.what.severity)},
            {"key", p.what.key.empty() ? json(nullptr) : json(p.what.key)},
            {"file", p.what.file},
            {"line", p.what.line == 0 ? json(nullptr) : json(p.what.line)},
            {"text", p.what.text},
            {"fix", fix_of(p.what.kind)},
            {"suppressed", p.suppressed}};
}

json to_json(const lint_line& l) {
    const key_text* const text = text_of(l.key);
    return {{"file", l.where.file},
            {"line", l.where.line},
            {"key", to_string(l.key)},
            {"value", l.value},
            {"shown", l.shown.empty() ? json(nullptr) : json(l.shown)},
            {"default", l.by_default ? json(*l.by_default) : json(nullptr)},
            {"changes", l.changes},
            {"verdict", l.verdict},
            {"does", text ? json(text->does) : json(nullptr)},
            {"belief", text && !text->belief.empty() ? json(text->belief) : json(nullptr)},
            {"fact", text && !text->fact.empty() ? json(text->fact) : json(nullptr)}};
}

} // namespace

void print_lint_text(std::ostream& out, const lint_report& r, const terminal& on) {
    lint_page page(out, on);
    out << "What " << readable(joined(r.view.files)) << (r.view.files.size() == 1 ? " makes" : " make") << " of Linux "
        << readable(r.kernel) << "; judged for closing by " << joined(r.asked.judged.assumed) << ", exposure "
        << to_string(r.asked.judged.program.peers) << "\n\n";
    // Nobody reads of every key in a dump that it is at its default.
    constexpr std::size_t long_file = 24;
    const bool every_line = r.asked.verbose || r.lines.size() <= long_file;
    std::size_t left_out = 0;
    for (const auto& [where, of] : sections_of(r)) {
        const bool something = of.has_something();
        if (!something && (!of.line || (!every_line && !of.line->changes))) {
            if (of.line) ++left_out;
            continue;
        }
        if (!where.file.empty()) page.heading(where, of);
        for (const placed_finding* f : of.findings)
            if (!f->what.suppressed) page.print(*f);
        for (const placed_problem* p : of.problems) {
            if (p->suppressed) continue;
            page.title(p->code, p->what.severity);
            page.paragraph("what", (of.line || p->what.key.empty() ? "" : p->what.key + ": ") + p->what.text);
            page.paragraph("fix", fix_of(p->what.kind));
        }
        if (of.line) page.print(*of.line);
        out << "\n";
    }
    if (left_out != 0) out << left_out << " more lines are at the kernel's defaults (-v lists them).\n";
    const auto counts = counts_of(r);
    out << counts[2] << " critical, " << counts[1] << (counts[1] == 1 ? " warning, " : " warnings, ") << counts[0]
        << (counts[0] == 1 ? " note\n" : " notes\n");
}

void print_lint_json(std::ostream& out, const lint_report& r) {
    json findings = json::array(), problems = json::array(), lines = json::array(), values = json::object();
    for (const placed_finding& f : r.findings) findings.push_back(to_json(f));
    for (const placed_problem& p : r.problems) problems.push_back(to_json(p));
    for (const lint_line& l : r.lines) lines.push_back(to_json(l));
    for (const host::key k : host::all_keys) {
        const host::key_value& v = r.seen[k];
        values[std::string(to_string(k))] = {
            {"status", to_string(v.status)},
            {"value", v.status == host::key_status::present ? json(v.text) : json(nullptr)}};
    }
    const json document{{"findings", std::move(findings)},
                        {"problems", std::move(problems)},
                        {"lines", std::move(lines)},
                        {"values", std::move(values)},
                        {"kernel", r.kernel},
                        {"files", r.view.files},
                        {"exposure", to_string(r.asked.judged.program.peers)},
                        {"assumed", r.asked.judged.assumed},
                        {"version", version_name()}};
    // A path or a value may be no UTF-8.
    out << document.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
}

void print_lint_sarif(std::ostream& out, const lint_report& r) {
    std::vector<sarif_result> results;
    for (const placed_finding& f : r.findings) {
        const host::finding& what = f.what.finding;
        sarif_result result{std::string(what.code),
                            what.severity,
                            what.message + ". Effect: " + what.consequence + ". Fix: " + what.fix,
                            {},
                            f.what.suppressed,
                            f.what.suppression ? f.what.suppression->reason : ""};
        for (const place& p : f.places) result.locations.push_back({p.file, p.line});
        results.push_back(std::move(result));
    }
    for (const placed_problem& p : r.problems)
        results.push_back({p.code,
                           p.what.severity,
                           (p.what.key.empty() ? "" : p.what.key + ": ") + p.what.text,
                           {{p.what.file, p.what.line}},
                           p.suppressed});
    print_sarif(out, results, "");
}

} // namespace check
