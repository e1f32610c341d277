// SPDX-License-Identifier: BSL-1.0
#include "explain.hpp"
#include "fill.hpp"

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/detail/rule_table.hpp>

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <utility>

namespace check {

namespace {

class page {
public:
    explicit page(const terminal& on) : on_(on) {}

    void heading(std::string_view text) {
        if (!out_.empty()) out_ += "\n";
        std::string lines;
        fill(lines, "", 2, text, on_.width);
        lines.pop_back();
        out_ += on_.colour ? "\x1b[1m" + lines + "\x1b[0m\n" : lines + "\n";
    }

    /// `  label   text`, what is broken below the text.
    void paragraph(std::string_view label, std::string_view text, std::size_t column = 11) {
        if (text.empty()) return;
        std::string first = "  " + std::string(label);
        first.resize(std::max(column, first.size() + 2), ' ');
        fill(out_, first, column, closeside::detail::readable(text), on_.width);
    }

    /// Names, as many in a line as fit.
    void list(std::string_view names) { fill(out_, "  ", 2, names, on_.width); }

    std::string text() && { return std::move(out_); }

private:
    terminal on_;
    std::string out_;
};

constexpr std::string_view judged_for = "for a program that closes first, with clients behind NAT: ";

std::string status_in_words(host::key_status s) {
    switch (s) {
    case host::key_status::present: return "";
    case host::key_status::absent: return "absent: this kernel has no such key";
    case host::key_status::unloaded: return "absent: the module nf_conntrack is not loaded";
    case host::key_status::hidden:
        return "hidden: this network namespace does not show it, and the host's value holds here";
    case host::key_status::denied: return "denied";
    case host::key_status::malformed: return "malformed";
    case host::key_status::emulated: return "emulated: a sandbox serves a constant";
    }
    return "?";
}

std::string unseen(const host::snapshot& seen) {
    return "not to be seen: below " + seen.root + " nothing can be read (" +
           std::generic_category().message(seen.error) + ")";
}

/// `1, in /proc/sys/net/ipv4/tcp_rfc1337`
std::string value_here(const host::snapshot& seen, host::key k) {
    if (seen.error != 0) return unseen(seen);
    const host::key_value& v = seen[k];
    if (v.status == host::key_status::present) return (v.text.empty() ? "empty" : v.text) + ", in " + seen.path(k);
    return status_in_words(v.status) + (v.problem.empty() ? "" : " (" + v.problem + ")") + ", in " + seen.path(k);
}

void add_rules(page& out, std::string_view label, const std::vector<const host::detail::rule*>& rules) {
    for (const host::detail::rule* r : rules)
        out.paragraph(r == rules.front() ? label : "", std::string(r->code) + " " + std::string(r->title));
}

void add_judgement(page& out, const host::finding& f) {
    out.paragraph("judged",
                  std::string(judged_for) + std::string(f.code) + " " + to_string(f.severity) + ": " + f.message);
}

std::string heading_of(const host::detail::counter_facts& facts) {
    return std::string(facts.group) + ":" + std::string(facts.name);
}

void add(page& out, const key_text& text, const looked_at& here) {
    const std::string name(to_string(text.key));
    out.heading(name);
    out.paragraph("does", text.does);
    out.paragraph("since", text.since);
    out.paragraph("default", text.by_default);
    out.paragraph("scope", scope_of(text));
    out.paragraph("set by", who_sets(text));
    out.paragraph("belief", text.belief);
    out.paragraph("fact", text.fact);
    out.paragraph("advice", text.advice);
    add_rules(out, "rules", rules_about(text.key));
    out.paragraph("source", text.source);
    out.paragraph("here", value_here(here.seen, text.key));
    bool judged = false;
    for (const host::finding& f : here.findings)
        if (std::ranges::find(f.keys, name) != f.keys.end()) {
            add_judgement(out, f);
            judged = true;
        }
    if (!judged && here.seen[text.key].status == host::key_status::present)
        out.paragraph("judged", std::string(judged_for) + "nothing to say");
}

void add(page& out, const rule_text& text, const looked_at& here) {
    const host::detail::rule* const rule = host::detail::find_rule(text.code);
    out.heading(std::string(text.code) + (rule ? ": " + std::string(rule->title) : ""));
    out.paragraph("warns", text.warns);
    out.paragraph("why", text.why);
    out.paragraph("harmless", text.harmless);
    out.paragraph("advice", text.advice);
    std::string counters;
    if (rule)
        for (const host::counter c : rule->confirmed_by)
            counters += (counters.empty() ? "" : ", ") + heading_of(host::detail::facts(c));
    out.paragraph("counters", counters);
    std::string keys;
    for (const host::key k : text.keys) keys += (keys.empty() ? "" : ", ") + std::string(to_string(k));
    out.paragraph("keys", keys);
    const auto found = std::ranges::find(here.findings, text.code, &host::finding::code);
    if (found == here.findings.end())
        return out.paragraph("here",
                             here.seen.error != 0 ? unseen(here.seen) : std::string(judged_for) + "nothing to say");
    out.paragraph("source", found->source);
    out.paragraph("here", std::string(judged_for) + to_string(found->severity) + ": " + found->message);
}

void add_paragraphs(page& out, const counter_text& text) {
    out.paragraph("counts", text.meaning);
    out.paragraph("since", text.since);
    add_rules(out, "rules", rules_confirmed_by(text.counter));
}

void add(page& out, const counter_text& text, const looked_at& here) {
    out.heading(heading_of(host::detail::facts(text.counter)));
    add_paragraphs(out, text);
    const auto count = here.seen.count(text.counter);
    out.paragraph("here", count                  ? std::to_string(*count) + " in this network namespace"
                          : here.seen.error != 0 ? unseen(here.seen)
                                                 : "not counted by this kernel");
}

void add(page& out, const topic_text& text, const looked_at&) {
    out.heading(text.title);
    for (const labelled_text& p : text.paragraphs) out.paragraph(p.label, p.text);
}

void add(page& out, every_counter, const looked_at&) {
    for (const counter_text* c : explanations().counters) {
        out.heading(heading_of(host::detail::facts(c->counter)));
        add_paragraphs(out, *c);
    }
}

void add(page& out, every_name, const looked_at&) {
    constexpr std::size_t title_column = 15;
    const auto topic = [&](std::string_view name, std::string_view title) { out.paragraph(name, title, title_column); };
    const library& all = explanations();
    out.heading("closeside-check explain TOPIC");
    for (const topic_text* t : all.topics) topic(t->name, t->title);
    topic(every_counter::name, every_counter::title);
    out.heading("closeside-check explain CODE");
    for (const rule_text* r : all.rules)
        if (const host::detail::rule* const rule = host::detail::find_rule(r->code))
            out.paragraph(r->code, rule->title);
    std::string keys, counters;
    for (const key_text* k : all.keys) keys += (keys.empty() ? "" : " ") + std::string(to_string(k->key));
    for (const counter_text* c : all.counters)
        counters += (counters.empty() ? "" : " ") + std::string(to_string(c->counter));
    out.heading("closeside-check explain KEY");
    out.list(keys);
    out.heading("closeside-check explain COUNTER");
    out.list(counters);
}

template <class Text>
void add(page& out, const Text* text, const looked_at& here) {
    add(out, *text, here);
}

} // namespace

std::string explained_as_text(const subject& s, const looked_at& here, const terminal& on) {
    page out(on);
    std::visit([&](const auto& of) { add(out, of, here); }, s);
    return std::move(out).text();
}

} // namespace check
