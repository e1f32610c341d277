// SPDX-License-Identifier: BSL-1.0
#include "sarif.hpp"

#include "report.hpp"

#include <closeside/host/detail/rule_table.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string_view>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;
using json = nlohmann::ordered_json;

constexpr const char* base = "ROOT";

/// RFC 3986: what a path may hold as it is.
std::string percent_encoded(std::string_view path) {
    constexpr std::string_view plain = "-._~!$&'()*+,;=@/";
    constexpr const char* digits = "0123456789ABCDEF";
    std::string uri;
    for (const char c : path) {
        const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (alphanumeric || plain.find(c) != plain.npos) {
            uri += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        (uri += '%') += digits[byte >> 4];
        uri += digits[byte & 15];
    }
    return uri;
}

const char* level_of(host::severity s) {
    switch (s) {
    case host::severity::note: return "note";
    case host::severity::warning: return "warning";
    case host::severity::critical: return "error";
    }
    return "none";
}

json artifact(const std::string& file, const std::string& root) {
    if (root.empty() || !file.starts_with('/')) return {{"uri", percent_encoded(file)}};
    return {{"uri", percent_encoded(file.substr(1))}, {"uriBaseId", base}};
}

json to_json(const sarif_location& l, const std::string& root) {
    json physical{{"artifactLocation", artifact(l.file, root)}};
    if (l.line != 0) physical["region"] = {{"startLine", l.line}};
    return {{"physicalLocation", std::move(physical)}};
}

json to_json(const sarif_result& r, std::size_t rule, const std::string& root) {
    json result{
        {"ruleId", r.code}, {"ruleIndex", rule}, {"level", level_of(r.severity)}, {"message", {{"text", r.message}}}};
    json locations = json::array(), related = json::array();
    for (const sarif_location& l : r.locations) (locations.empty() ? locations : related).push_back(to_json(l, root));
    result["locations"] = std::move(locations);
    if (!related.empty()) result["relatedLocations"] = std::move(related);
    if (r.suppressed) {
        json suppression{{"kind", "external"}};
        if (!r.justification.empty()) suppression["justification"] = r.justification;
        result["suppressions"] = json::array({std::move(suppression)});
    }
    return result;
}

json rules() {
    json all = json::array();
    for (const host::detail::rule& r : host::detail::rule_table)
        all.push_back({{"id", r.code},
                       {"shortDescription", {{"text", r.title}}},
                       {"help", {{"text", "closeside-check explain " + std::string(r.code) + " tells more."}}}});
    return all;
}

} // namespace

std::string code_of(host::config_problem_kind k) {
    using kind = host::config_problem_kind;
    switch (k) {
    case kind::removed_key:
    case kind::renamed_key: return "CS501";
    case kind::drift: return "CS502";
    case kind::lost_at_boot: return "CS503";
    case kind::loaders_disagree:
    case kind::uncertain_loader: return "CS504";
    case kind::refused_value: return "CS505";
    case kind::before_module: return "CS506";
    case kind::unreadable_file:
    case kind::dangling_link:
    case kind::dangerous_file:
    case kind::oversized:
    case kind::changing_file: return "CS507";
    case kind::unknown_key:
    case kind::future_key:
    case kind::hidden_key:
    case kind::read_only_key:
    case kind::malformed_key:
    case kind::no_setting: return "CS508";
    }
    return "CS508";
}

void print_sarif(std::ostream& out, const std::vector<sarif_result>& results, const std::string& root) {
    json found = json::array();
    for (const sarif_result& r : results) {
        const auto rule = std::ranges::find(host::detail::rule_table, r.code, &host::detail::rule::code);
        found.push_back(to_json(r, static_cast<std::size_t>(rule - host::detail::rule_table.begin()), root));
    }
    json run{{"tool", {{"driver", {{"name", "closeside-check"}, {"version", version_name()}, {"rules", rules()}}}}},
             {"columnKind", "utf16CodeUnits"},
             {"results", std::move(found)}};
    if (!root.empty())
        run["originalUriBaseIds"] = {
            {base, {{"uri", "file://" + percent_encoded(root) + (root.ends_with('/') ? "" : "/")}}}};
    const json document{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                        {"version", "2.1.0"},
                        {"runs", json::array({std::move(run)})}};
    // A path or a value may be no UTF-8.
    out << document.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
}

} // namespace check
