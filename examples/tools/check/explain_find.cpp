// SPDX-License-Identifier: BSL-1.0
#include "explain.hpp"

#include <closeside/host/detail/rule_table.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <initializer_list>
#include <utility>

namespace check {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), lower);
    return out;
}

/// `net.ipv4.tcp_fin_timeout` has the short name `tcp_fin_timeout`.
std::string_view short_name(std::string_view key) { return key.substr(key.rfind('.') + 1); }

/// As sysctl(8) writes it, from a path below /proc/sys, or from a key with slashes.
std::string as_key(std::string_view word) {
    for (const std::string_view directory : {"/proc/sys/", "proc/sys/"})
        if (word.starts_with(directory)) word.remove_prefix(directory.size());
    std::string out = lowered(word);
    std::ranges::replace(out, '/', '.');
    return out;
}

/// TIME_WAIT, time-wait and TimeWait are one topic.
std::string as_topic(std::string_view word) {
    std::string out = lowered(word);
    std::erase_if(out, [](char c) { return c == '-' || c == '_' || c == ' '; });
    return out;
}

template <class Text>
void append(std::vector<const Text*>& all, std::initializer_list<std::span<const Text>> parts) {
    for (const auto part : parts)
        for (const Text& t : part) all.push_back(&t);
}

library make_library() {
    library l;
    l.topics = {&topic_time_wait(),      &topic_takeover(),   &topic_fin_wait_2(), &topic_nat(),
                &topic_capacity(),       &topic_recipe(),     &topic_counting(),   &topic_linger(),
                &topic_loaders(),        &topic_endings(),    &topic_unread(),     &topic_late_data(),
                &topic_listener_queue(), &topic_peer_reset(), &topic_time_out(),   &topic_refused()};
    append(l.rules, {texts_of_rules_0xx(), texts_of_rules_10x(), texts_of_rules_11x(), texts_of_rules_2xx(),
                     texts_of_rules_3xx(), texts_of_rules_4xx(), texts_of_rules_5xx()});
    append(l.keys, {texts_of_time_wait_keys(), texts_of_orphan_keys(), texts_of_accepting_keys(),
                    texts_of_connecting_keys(), texts_of_table_keys(), texts_of_conntrack_keys()});
    append(l.counters, {counter_texts()});
    return l;
}

/// The number of letters to add, leave out or replace that makes `b` of `a`.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j != row.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i != a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j != b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

/// A name like the word that was asked for; ordered, the likeliest first.
struct candidate {
    bool contains_not;
    std::size_t apart;
    std::size_t place;
    std::string_view name;

    friend auto operator<=>(const candidate&, const candidate&) = default;
};

std::vector<std::string_view> short_names() {
    const library& all = explanations();
    std::vector<std::string_view> names{every_counter::name};
    for (const topic_text* t : all.topics) names.push_back(t->name);
    for (const key_text* k : all.keys) names.push_back(short_name(to_string(k->key)));
    for (const rule_text* r : all.rules) names.push_back(r->code);
    for (const counter_text* c : all.counters) names.push_back(to_string(c->counter));
    return names;
}

} // namespace

const library& explanations() {
    static const library all = make_library();
    return all;
}

std::optional<subject> find_subject(std::string_view word) {
    if (word.empty()) return subject{every_name{}};
    const library& all = explanations();
    const std::string key = as_key(word), plain = lowered(word), topic = as_topic(word);
    for (const key_text* k : all.keys)
        if (key == to_string(k->key) || key == short_name(to_string(k->key))) return k;
    for (const rule_text* r : all.rules)
        if (plain == lowered(r->code)) return r;
    for (const counter_text* c : all.counters) {
        const host::detail::counter_facts& facts = host::detail::facts(c->counter);
        const std::string group = lowered(facts.group), name = lowered(facts.name);
        if (plain == name || plain == group + name || plain == group + ":" + name) return c;
    }
    for (const topic_text* t : all.topics)
        if (topic == as_topic(t->name)) return t;
    if (topic == every_counter::name) return subject{every_counter{}};
    return std::nullopt;
}

std::vector<std::string> similar_names(std::string_view word) {
    constexpr std::size_t few = 4, long_word = 128;
    // What is no word at all is like nothing; and the comparison takes as long as both are.
    if (word.size() < 2 || word.size() > long_word) return {};
    const std::string key = as_key(word), asked(short_name(key));

    std::vector<candidate> ranked;
    for (const std::string_view name : short_names()) {
        const std::string known = lowered(name);
        const bool contains = (asked.size() > 2 && known.find(asked) != known.npos) ||
                              (known.size() > 4 && asked.find(known) != asked.npos);
        const std::size_t apart = distance(asked, known);
        if (contains || apart <= std::max<std::size_t>(1, known.size() / 4))
            ranked.push_back({!contains, apart, ranked.size(), name});
    }
    std::ranges::sort(ranked);
    if (ranked.size() > few) ranked.resize(few);
    std::vector<std::string> names;
    for (const candidate& c : ranked) names.emplace_back(c.name);
    return names;
}

std::vector<const host::detail::rule*> rules_about(host::key k) {
    std::vector<const host::detail::rule*> rules;
    for (const rule_text* r : explanations().rules)
        if (std::ranges::find(r->keys, k) != r->keys.end())
            if (const host::detail::rule* const rule = host::detail::find_rule(r->code)) rules.push_back(rule);
    return rules;
}

std::vector<const host::detail::rule*> rules_confirmed_by(host::counter c) {
    std::vector<const host::detail::rule*> rules;
    for (const host::detail::rule& r : host::detail::rule_table)
        if (std::ranges::find(r.confirmed_by, c) != r.confirmed_by.end()) rules.push_back(&r);
    return rules;
}

std::string who_sets(const key_text& text) {
    if (!text.set_by.empty()) return std::string(text.set_by);
    switch (host::detail::facts(text.key).reach) {
    case host::detail::key_reach::host:
        return "root on the host, for all network namespaces; no container has a value of its own";
    case host::detail::key_reach::pod_safe:
        return "root of the network namespace; for a container, docker run --sysctl, or securityContext.sysctls of the "
               "pod (Kubernetes counts it among the safe ones)";
    case host::detail::key_reach::space:
        return "root of the network namespace; for a container, docker run --sysctl, or securityContext.sysctls of the "
               "pod (the kubelet needs --allowed-unsafe-sysctls for it)";
    }
    return "";
}

std::string scope_of(const key_text& text) {
    if (!text.scope.empty()) return std::string(text.scope);
    const host::detail::key_facts& facts = host::detail::facts(text.key);
    if (!facts.per_namespace_since)
        return facts.reach == host::detail::key_reach::host ? "every network namespace shows the host's value"
                                                            : "every network namespace has its own";
    if (*facts.per_namespace_since == host::detail::never_per_namespace)
        return "the host's alone: the value holds in every network namespace, and only the initial one shows it";
    const std::string release =
        std::to_string(facts.per_namespace_since->major) + "." + std::to_string(facts.per_namespace_since->minor);
    return "every network namespace has its own since Linux " + release +
           "; before, the host's value holds in all, and only the initial one shows it";
}

} // namespace check
