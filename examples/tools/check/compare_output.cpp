// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"
#include "document.hpp"
#include "fill.hpp"

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/render.hpp>

#include <ostream>
#include <string_view>

namespace check {

namespace {

namespace host = closeside::host;
using closeside::detail::readable;
using json = nlohmann::ordered_json;

/// Where the text of a finding begins, behind the mark, its code and its severity.
constexpr std::size_t text_column = 18;

std::string title_of(const saved_finding& f) {
    const host::detail::rule* const rule = host::detail::find_rule(f.code);
    return rule ? std::string(rule->title) : readable(f.message);
}

class page {
public:
    explicit page(const terminal& on) : on_(on) {}

    void line(std::string_view first, std::size_t indent, std::string_view text) {
        fill(out_, first, indent, readable(text), on_.width);
    }

    /// `+ CS101 critical  title`
    void finding(std::string_view mark, const saved_finding& f) {
        std::string head = readable(std::string(mark) + " " + f.code + " " + to_string(f.severity));
        if (head.size() + 2 < text_column) head.resize(text_column - 2, ' ');
        head += "  ";
        fill(out_, on_.colour ? std::string(host::detail::colour_of(f.severity)) + head + "\x1b[0m" : head, text_column,
             title_of(f) + (f.when.empty() || f.when == "now" ? "" : " (" + readable(f.when) + ")") +
                 (f.suppressed ? " (ignored)" : ""),
             on_.width);
    }

    void below(std::string_view first, std::string_view text) {
        line(std::string(text_column, ' ') + std::string(first), text_column + 2, text);
    }

    void gap() { out_ += '\n'; }
    const std::string& text() const { return out_; }

private:
    terminal on_;
    std::string out_;
};

void add_change(page& out, const saved_finding& was, const saved_finding& is) {
    out.finding("~", is);
    if (was.severity != is.severity)
        out.below("", "was " + std::string(to_string(was.severity)) + ", is " + to_string(is.severity));
    if (was.occurrence != is.occurrence) out.below("", "was " + was.occurrence + ", is " + is.occurrence);
    if (was.suppressed != is.suppressed) out.below("", is.suppressed ? "is ignored now" : "is ignored no more");
    if (was.message == is.message) return;
    out.below("was: ", was.message);
    out.below("is: ", is.message);
}

json to_json(const saved_finding& f) {
    return {{"code", f.code},
            {"severity", to_string(f.severity)},
            {"when", f.when.empty() ? json(nullptr) : json(f.when)},
            {"message", f.message},
            {"observed", f.observed},
            {"occurrence", f.occurrence},
            {"suppressed", f.suppressed}};
}

json to_json(const std::vector<saved_finding>& findings) {
    json all = json::array();
    for (const saved_finding& f : findings) all.push_back(to_json(f));
    return all;
}

json to_json(const std::vector<comparison::difference>& differences) {
    json all = json::object();
    // Each stands there once, and [] would look for it among all the others.
    auto& members = all.get_ref<json::object_t&>();
    for (const comparison::difference& d : differences)
        members.emplace_back(d.what, json{{"before", d.before}, {"after", d.after}});
    return all;
}

json circumstances_of(const saved_look& l) {
    return {{"host", l.host},       {"taken", l.taken},       {"kernel", l.kernel},
            {"assumed", l.assumed}, {"exposure", l.exposure}, {"version", l.version}};
}

} // namespace

void print_comparison_text(std::ostream& out, const saved_look& before, const comparison& c, const terminal& on) {
    page text(on);
    text.line("", 2,
              "Compared with " + (before.host.empty() ? "a host without a name" : before.host) + ", Linux " +
                  (before.kernel.empty() ? "of unknown release" : before.kernel) + ", as it was at " + before.taken);
    for (const comparison::difference& d : c.circumstances)
        if (d.what != "host" && d.what != "kernel")
            text.line("", 2, "Judged otherwise: " + d.what + " " + d.before + " then, " + d.after + " now");
    text.gap();
    for (const saved_finding& f : c.came) {
        text.finding("+", f);
        text.below("", f.message);
    }
    for (const saved_finding& f : c.went) text.finding("-", f);
    for (const auto& [was, is] : c.changed) add_change(text, was, is);
    const bool same = c.came.empty() && c.went.empty() && c.changed.empty();
    if (same) text.line("", 2, "The findings are the same.");
    text.gap();
    for (const comparison::difference& d : c.values)
        text.line("", 4,
                  d.what + ": " + (d.before.empty() ? "(nothing)" : d.before) + " -> " +
                      (d.after.empty() ? "(nothing)" : d.after));
    if (c.values.empty()) text.line("", 2, "The values are the same.");
    text.gap();
    text.line("", 2,
              std::to_string(c.came.size()) + " came (+), " + std::to_string(c.went.size()) + " went (-), " +
                  std::to_string(c.changed.size()) + " changed (~); " + std::to_string(c.values.size()) +
                  (c.values.size() == 1 ? " value differs" : " values differ"));
    out << text.text();
}

void print_comparison_json(std::ostream& out, const saved_look& before, const saved_look& after, const comparison& c) {
    json changed = json::array();
    for (const auto& [was, is] : c.changed)
        changed.push_back({{"code", is.code}, {"before", to_json(was)}, {"after", to_json(is)}});
    out << text_of({{"before", circumstances_of(before)},
                    {"after", circumstances_of(after)},
                    {"came", to_json(c.came)},
                    {"went", to_json(c.went)},
                    {"changed", std::move(changed)},
                    {"values", to_json(c.values)},
                    {"circumstances", to_json(c.circumstances)}});
}

} // namespace check
