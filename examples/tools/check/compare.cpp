// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <closeside/host/key.hpp>

#include <algorithm>
#include <set>
#include <string_view>

namespace check {

namespace {

namespace host = closeside::host;

/// Among several of one code that both looks have, the first of each belong together.
struct finding_list {
    explicit finding_list(const std::vector<saved_finding>& findings) : left(findings) {}

    const saved_finding* take(const saved_finding& like) {
        const auto found = std::ranges::find_if(
            left, [&](const saved_finding& f) { return f.code == like.code && f.when == like.when; });
        if (found == left.end()) return nullptr;
        taken = *found;
        left.erase(found);
        return &taken;
    }

    std::vector<saved_finding> left;
    saved_finding taken;
};

std::string_view or_missing(const saved_values& in, const std::string& key) {
    const auto found = in.find(key);
    return found == in.end() ? "(not looked at)" : std::string_view(found->second);
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

} // namespace

comparison compare(const saved_look& before, const saved_look& after) {
    comparison c;
    finding_list earlier(before.findings);
    for (const saved_finding& f : after.findings) {
        const saved_finding* const same = earlier.take(f);
        if (!same)
            c.came.push_back(f);
        else if (*same != f)
            c.changed.emplace_back(*same, f);
    }
    c.went = std::move(earlier.left);

    std::set<std::string> keys;
    for (const saved_values* of : {&before.values, &after.values})
        for (const auto& [key, value] : *of) keys.insert(key);
    keys.erase(std::string(to_string(host::key::conntrack_count)));
    for (const std::string& key : keys) {
        const std::string_view was = or_missing(before.values, key), is = or_missing(after.values, key);
        if (was != is) c.values.push_back({key, std::string(was), std::string(is)});
    }

    const auto note = [&](const char* what, const std::string& was, const std::string& is) {
        if (was != is) c.circumstances.push_back({what, was, is});
    };
    note("host", before.host, after.host);
    note("kernel", before.kernel, after.kernel);
    note("closing by", joined(before.assumed), joined(after.assumed));
    note("exposure", before.exposure, after.exposure);
    note("closeside-check", before.version, after.version);
    return c;
}

} // namespace check
