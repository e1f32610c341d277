// SPDX-License-Identifier: BSL-1.0
#include "endings.hpp"

#include "read_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <string_view>

namespace check {

namespace {

using json = nlohmann::json;

/// What people look through on one page.
constexpr std::size_t most_shown = 200;

constexpr std::size_t largest = 64u << 20;

/// Empty for null, or for what is no text.
std::string text_of(const json& of, const char* name) {
    const auto found = of.find(name);
    return found != of.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<shown_ending> ending_of(std::string_view line) {
    const json ending = json::parse(line, nullptr, false);
    if (!ending.is_object() || !ending.contains("ended_by") || !ending.contains("local")) return std::nullopt;
    return shown_ending{text_of(ending, "time"), text_of(ending, "local"), text_of(ending, "peer"),
                        text_of(ending, "ended_by"), text_of(ending, "reason")};
}

} // namespace

ending_list read_endings(const std::string& file, std::string& problem) {
    ending_list all;
    try {
        const std::string text = read_file(file, largest);
        for (std::string_view rest = text; !rest.empty();) {
            const std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            if (line.empty()) continue;
            if (std::optional<shown_ending> ending = ending_of(line)) {
                ++all.total;
                all.last.push_back(*std::move(ending));
            } else {
                ++all.others;
            }
            if (all.last.size() >= 2 * most_shown)
                all.last.erase(all.last.begin(), all.last.end() - static_cast<std::ptrdiff_t>(most_shown));
        }
    } catch (const std::exception& e) {
        problem = "cannot read the endings in '" + file + "': " + e.what();
    }
    if (all.last.size() > most_shown)
        all.last.erase(all.last.begin(), all.last.end() - static_cast<std::ptrdiff_t>(most_shown));
    return all;
}

} // namespace check
