// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_EXPLAIN_HPP
#define CLOSESIDE_CHECK_EXPLAIN_HPP

#include "explanation.hpp"
#include "output.hpp"

#include <closeside/host/detail/rule.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/snapshot.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace check {

/// Everything that can be explained, each kind in the order in which it is listed.
struct library {
    std::vector<const topic_text*> topics;
    std::vector<const rule_text*> rules;
    std::vector<const key_text*> keys;
    std::vector<const counter_text*> counters;
};
const library& explanations();

/// The topic whose paragraphs are the counters.
struct every_counter {
    static constexpr std::string_view name = "counters";
    static constexpr std::string_view title = "What each counter counts, and since when";
};

/// The list of all that can be explained.
struct every_name {};

using subject =
    std::variant<every_name, const topic_text*, const rule_text*, const key_text*, const counter_text*, every_counter>;

/// What a word of the user names: a key with or without `net.ipv4.`, by dots or slashes; a code, a counter or a topic
/// in any case. Nothing if it names none.
std::optional<subject> find_subject(std::string_view word);

/// A few names like `word`, the likeliest first; none if nothing is like it.
std::vector<std::string> similar_names(std::string_view word);

/// The rules whose findings can name a key, by code.
std::vector<const host::detail::rule*> rules_about(host::key k);
std::vector<const host::detail::rule*> rules_confirmed_by(host::counter c);

/// Who can set a key, and which network namespaces have one of their own: one clause each.
std::string who_sets(const key_text& text);
std::string scope_of(const key_text& text);

/// This host, and what the audit says of it for a program that closes first, with clients behind NAT.
struct looked_at {
    host::snapshot seen;
    std::vector<host::finding> findings;
};

/// For people.
std::string explained_as_text(const subject& s, const looked_at& here, const terminal& on);

/// For programs.
std::string explained_as_json(const subject& s, const looked_at& here);

} // namespace check

#endif
