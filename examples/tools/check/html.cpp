// SPDX-License-Identifier: BSL-1.0
#include "html.hpp"

#include "document.hpp"

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/key.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <ostream>
#include <vector>

namespace check {

namespace {

namespace host = closeside::host;

/// No script, nothing from elsewhere: the policy forbids both, should a text ever get past html_text().
constexpr std::string_view head = R"(<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --line: #8884; --note: #2a7ab0; --warning: #b36b00; --critical: #c62828; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
.sum { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0; }
.sum li { border: 1px solid var(--line); border-radius: .5rem; padding: .25rem .75rem; }
article { border: 1px solid var(--line); border-left-width: .4rem; border-radius: .3rem; padding: .6rem .9rem; margin: .7rem 0; }
.note { border-left-color: var(--note); } .warning { border-left-color: var(--warning); }
.critical { border-left-color: var(--critical); } .ignored { opacity: .65; }
.note b { color: var(--note); } .warning b { color: var(--warning); } .critical b { color: var(--critical); }
dl { display: grid; grid-template-columns: 5rem 1fr; gap: .15rem .6rem; margin: .5rem 0 0; } dt { opacity: .7; } dd { margin: 0; }
table { border-collapse: collapse; min-width: min(100%, 28rem); font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } .wide td { overflow-wrap: normal; }
footer { margin-top: 2rem; opacity: .7; font-size: .85rem; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dt { margin-top: .3rem; } }
</style>
)";

class page {
public:
    explicit page(std::ostream& out) : out_(out) {}

    page& raw(std::string_view markup) {
        out_ << markup;
        return *this;
    }
    page& text(std::string_view words) {
        out_ << html_text(words);
        return *this;
    }

    void term(std::string_view label, std::string_view words) {
        if (!words.empty()) raw("<dt>").text(label).raw("</dt><dd>").prose(words).raw("</dd>\n");
    }

    /// A sentence, in which commands stand in backquotes.
    page& prose(std::string_view words) {
        bool in_code = false;
        while (!words.empty()) {
            const std::size_t end = std::min(words.find('`'), words.size());
            text(words.substr(0, end));
            words.remove_prefix(end);
            if (words.empty()) break;
            words.remove_prefix(1);
            if (!in_code && words.find('`') == words.npos) {
                text("`");
                continue;
            }
            raw(in_code ? "</code>" : "<code>");
            in_code = !in_code;
        }
        return *this;
    }

    /// A row of a table; the cell `number` is aligned to the right.
    void row(const std::vector<std::string>& cells, std::size_t number = 99) {
        raw("<tr>");
        for (std::size_t i = 0; i != cells.size(); ++i)
            raw(i == number ? "<td class=\"n\">" : "<td>").text(cells[i]).raw("</td>");
        raw("</tr>\n");
    }

    void table(std::string_view title, const std::vector<std::string>& heads, std::size_t number = 99) {
        raw("<h2>").text(title).raw("</h2>\n<div class=\"wide\"><table>\n<tr>");
        for (std::size_t i = 0; i != heads.size(); ++i)
            raw(i == number ? "<th class=\"n\">" : "<th>").text(heads[i]).raw("</th>");
        raw("</tr>\n");
    }
    void end_table() { raw("</table></div>\n"); }

private:
    std::ostream& out_;
};

/// `28232`, `470.5`, without a locale.
std::string number(double value) {
    const auto tenths = std::llround(value * 10);
    return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10));
}

std::string percent(double part) { return number(part * 100) + " %"; }

std::string title_of(const host::finding& f) {
    const host::detail::rule* const rule = host::detail::find_rule(f.code);
    return rule ? std::string(rule->title) : f.message;
}

void add_sum(page& out, const report& r) {
    std::array<std::size_t, 3> count{};
    std::size_t ignored = 0;
    for (const judged& j : r.findings) ++(j.suppressed ? ignored : count[static_cast<std::size_t>(j.finding.severity)]);
    out.raw("<ul class=\"sum\">");
    for (const auto s : {host::severity::critical, host::severity::warning, host::severity::note}) {
        const std::size_t n = count[static_cast<std::size_t>(s)];
        out.raw("<li class=\"").raw(to_string(s)).raw("\"><b>").text(std::to_string(n)).raw("</b> ").text(to_string(s));
        out.raw(n == 1 || s == host::severity::critical ? "</li>" : "s</li>");
    }
    if (ignored != 0) out.raw("<li>").text(std::to_string(ignored)).raw(" ignored</li>");
    out.raw("</ul>\n");
}

void add(page& out, const judged& j) {
    const host::finding& f = j.finding;
    const bool soon = f.when == host::moment::next_boot;
    out.raw("<article id=\"").text(f.code).raw(soon ? "-next-boot" : "").raw("\" class=\"").raw(to_string(f.severity));
    out.raw(j.suppressed ? " ignored\">" : "\">").raw("<h3><b>").text(f.code).raw(" ").raw(to_string(f.severity));
    out.raw("</b> ")
        .raw(soon ? "at the next boot: " : "")
        .text(title_of(f))
        .raw(j.suppressed ? " (ignored)" : "")
        .raw("</h3>\n<dl>\n");
    out.term("what", f.message);
    for (const host::finding::observation& o : f.observed) out.term("seen", o.key + " = " + o.value + " in " + o.where);
    out.term(to_string(f.occurrence), f.evidence);
    out.term("effect", f.consequence);
    out.term("fix", f.fix);
    out.term("source", f.source);
    out.raw("</dl></article>\n");
}

void add_findings(page& out, const report& r) {
    out.raw("<h2>Findings</h2>\n");
    std::size_t standing = 0;
    for (const judged& j : r.findings) {
        if (is_standing(j.finding))
            ++standing;
        else
            add(out, j);
    }
    if (standing == r.findings.size()) out.raw("<p>Nothing beyond what holds on any host.</p>\n");
    if (standing == 0) return;
    out.raw("<details><summary>").text(std::to_string(standing));
    out.raw(standing == 1 ? " note that holds" : " notes that hold")
        .raw(" on any host with the kernel's defaults</summary>\n");
    for (const judged& j : r.findings)
        if (is_standing(j.finding)) add(out, j);
    out.raw("</details>\n");
}

void add_states(page& out, const host::tcp_states& s) {
    out.table("TCP sockets", {"State", "Sockets"}, 1);
    for (const host::tcp_state state : host::all_tcp_states) {
        const auto n = s.count(state);
        out.row({to_string(state), n ? std::to_string(*n) : "unknown"}, 1);
    }
    out.end_table();
    if (!s.exact) out.raw("<p>Not exact: ").text(s.why_not_better()).raw("</p>\n");
}

void add_capacity(page& out, const host::capacity& c) {
    out.table("Capacity", {"What the settings allow", ""});
    const auto row = [&](const char* what, const std::optional<double>& value, std::string (*shown)(double)) {
        if (value) out.row({what, shown(*value)}, 1);
    };
    row("local ports to connect from",
        c.local_ports ? std::optional(static_cast<double>(*c.local_ports)) : std::nullopt, number);
    row("connects a second to one address and port", c.connects_per_second, number);
    row("connects a second to one port of this host", c.loopback_connects_per_second, number);
    row("closes a second before TIME-WAITs are dropped", c.closes_per_second, number);
    row("flows a second before the conntrack table is full", c.flows_per_second, number);
    row("tcp_max_tw_buckets in use", c.time_wait_used, percent);
    row("nf_conntrack_max in use", c.conntrack_used, percent);
    row("tcp_max_orphans in use", c.orphans_used, percent);
    out.end_table();
}

void add_values(page& out, const host::snapshot& seen) {
    out.table("Values", {"Key", "Value"});
    for (const host::key k : host::all_keys) {
        const host::key_value& v = seen[k];
        const bool present = v.status == host::key_status::present;
        out.row({std::string(to_string(k)), present ? v.text : "(" + std::string(to_string(v.status)) + ")"});
    }
    out.end_table();
}

void add_endings(page& out, const ending_list& endings) {
    if (endings.total == 0 && endings.others == 0) return;
    out.table("Connections that ended", {"Time", "Here", "Peer", "Ended by", "Reason"});
    for (auto e = endings.last.rbegin(); e != endings.last.rend(); ++e)
        out.row({e->time, e->local, e->peer, e->ended_by, e->reason});
    out.end_table();
    out.raw("<p>").text(std::to_string(endings.total)).raw(endings.total == 1 ? " ending" : " endings");
    if (endings.last.size() < endings.total)
        out.text(", the last " + std::to_string(endings.last.size()) + " are shown");
    if (endings.others != 0) out.text("; " + std::to_string(endings.others) + " lines of the file are none");
    out.raw("</p>\n");
}

} // namespace

std::string html_text(std::string_view text) {
    std::string out;
    for (const char c : closeside::detail::readable(text)) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += c;
        }
    }
    return out;
}

void print_html(std::ostream& stream, const report& r, const ending_list& endings) {
    page out(stream);
    const std::string host = host_name(r.seen);
    out.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n").raw(head);
    out.raw("<title>").text("TCP settings of " + host).raw("</title>\n</head>\n<body>\n");
    out.raw("<h1>").text("TCP settings of " + host).raw("</h1>\n<p>");
    out.text("Linux " + (r.seen.kernel.empty() ? "of unknown release" : r.seen.kernel) + ", " + utc(r.taken) +
             "; network namespace " + (r.seen.netns ? std::to_string(*r.seen.netns) : "unknown") +
             "; judged for closing by ");
    for (const std::string& name : r.asked.assumed) out.text((&name == &r.asked.assumed.front() ? "" : ", ") + name);
    out.text(std::string(", exposure ") + to_string(r.asked.program.peers)).raw("</p>\n");
    add_sum(out, r);
    add_findings(out, r);
    if (r.states) add_states(out, *r.states);
    add_capacity(out, r.capacity);
    add_endings(out, endings);
    add_values(out, r.seen);
    out.raw("<footer>")
        .text("closeside-check " + version_name())
        .raw("; <code>closeside-check explain CODE</code> tells more.</footer>\n");
    out.raw("</body>\n</html>\n");
}

} // namespace check
