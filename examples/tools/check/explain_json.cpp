// SPDX-License-Identifier: BSL-1.0
#include "explain.hpp"

#include <closeside/host/detail/rule_table.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace check {

namespace {

using json = nlohmann::ordered_json;

json codes_of(const std::vector<const host::detail::rule*>& rules) {
    json codes = json::array();
    for (const host::detail::rule* r : rules) codes.push_back(r->code);
    return codes;
}

json to_json(const host::finding& f) {
    return {{"code", f.code}, {"severity", to_string(f.severity)}, {"message", f.message}};
}

json to_json(const key_text& text, const looked_at& here) {
    const host::detail::key_facts& facts = host::detail::facts(text.key);
    const host::key_value& value = here.seen[text.key];
    json findings = json::array();
    for (const host::finding& f : here.findings)
        if (std::ranges::find(f.keys, facts.name) != f.keys.end()) findings.push_back(to_json(f));
    const bool has_value = value.status == host::key_status::present || value.status == host::key_status::emulated;
    return {{"kind", "key"},
            {"name", facts.name},
            {"does", text.does},
            {"since", text.since},
            {"default", text.by_default},
            {"scope", scope_of(text)},
            {"set_by", who_sets(text)},
            {"belief", text.belief},
            {"fact", text.fact},
            {"advice", text.advice},
            {"rules", codes_of(rules_about(text.key))},
            {"source", text.source},
            {"here",
             {{"status", here.seen.error != 0 ? json(nullptr) : json(to_string(value.status))},
              {"value", has_value ? json(value.text) : json(nullptr)},
              {"file", here.seen.path(text.key)},
              {"findings", std::move(findings)}}}};
}

json to_json(const rule_text& text, const looked_at& here) {
    const host::detail::rule* const rule = host::detail::find_rule(text.code);
    json counters = json::array(), keys = json::array();
    if (rule)
        for (const host::counter c : rule->confirmed_by) counters.push_back(to_string(c));
    for (const host::key k : text.keys) keys.push_back(to_string(k));
    const auto found = std::ranges::find(here.findings, text.code, &host::finding::code);
    return {{"kind", "rule"},
            {"code", text.code},
            {"title", rule ? json(rule->title) : json(nullptr)},
            {"warns", text.warns},
            {"why", text.why},
            {"harmless", text.harmless},
            {"advice", text.advice},
            {"counters", std::move(counters)},
            {"keys", std::move(keys)},
            {"here", found == here.findings.end() ? json(nullptr) : to_json(*found)}};
}

json to_json(const counter_text& text, const looked_at& here) {
    const host::detail::counter_facts& facts = host::detail::facts(text.counter);
    const auto count = here.seen.count(text.counter);
    return {{"kind", "counter"},
            {"name", facts.name},
            {"group", facts.group},
            {"counts", text.meaning},
            {"since", text.since},
            {"rules", codes_of(rules_confirmed_by(text.counter))},
            {"here", count ? json(*count) : json(nullptr)}};
}

json to_json(const topic_text& text, const looked_at&) {
    json paragraphs = json::array();
    for (const labelled_text& p : text.paragraphs) paragraphs.push_back({{"label", p.label}, {"text", p.text}});
    return {{"kind", "topic"}, {"name", text.name}, {"title", text.title}, {"paragraphs", std::move(paragraphs)}};
}

json to_json(every_counter, const looked_at& here) {
    json counters = json::array();
    for (const counter_text* c : explanations().counters) counters.push_back(to_json(*c, here));
    return {{"kind", "topic"},
            {"name", every_counter::name},
            {"title", every_counter::title},
            {"counters", std::move(counters)}};
}

json to_json(every_name, const looked_at&) {
    const library& all = explanations();
    json topics = json::array(), codes = json::array(), keys = json::array(), counters = json::array();
    for (const topic_text* t : all.topics) topics.push_back(t->name);
    topics.push_back(every_counter::name);
    for (const rule_text* r : all.rules) codes.push_back(r->code);
    for (const key_text* k : all.keys) keys.push_back(to_string(k->key));
    for (const counter_text* c : all.counters) counters.push_back(to_string(c->counter));
    return {{"kind", "index"},
            {"topics", std::move(topics)},
            {"rules", std::move(codes)},
            {"keys", std::move(keys)},
            {"counters", std::move(counters)}};
}

template <class Text>
json to_json(const Text* text, const looked_at& here) {
    return to_json(*text, here);
}

} // namespace

std::string explained_as_json(const subject& s, const looked_at& here) {
    const json document = std::visit([&](const auto& of) { return to_json(of, here); }, s);
    // A path below the root may be no UTF-8.
    return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace check
