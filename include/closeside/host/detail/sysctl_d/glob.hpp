// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_GLOB_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_GLOB_HPP

#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/key_tree.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fnmatch.h>

namespace closeside::host::detail::sysctl_d {

/// What both loaders take for a pattern.
inline bool is_glob(std::string_view key) noexcept { return key.find_first_of("*?[") != key.npos; }

/// So many alternatives at most; glob(3) would make 2^n of n pairs of braces.
inline constexpr std::size_t most_alternatives = 256;

/// `a{b,c}d` as GLOB_BRACE of glob(3) takes it apart: `abd`, `acd`; `{b}` is `b` and `{}` nothing. A brace without an end
/// stays, with all that follows it, and so does one behind a backslash. (glob and next_brace_sub of glibc's posix/glob.c)
inline std::vector<std::string> expand_braces(const std::string& pattern) {
    std::vector<std::string> done;
    std::vector<std::string> open{pattern};
    while (!open.empty() && done.size() + open.size() <= most_alternatives) {
        const std::string text = std::move(open.back());
        open.pop_back();
        std::size_t start = text.find_first_of("\\{");
        while (start != text.npos && text[start] == '\\') start = text.find_first_of("\\{", start + 2);
        std::vector<std::size_t> cuts;
        std::size_t end = text.npos;
        int depth = 0;
        for (std::size_t i = start; i < text.size() && end == text.npos; ++i) {
            if (text[i] == '\\') {
                ++i;
                continue;
            }
            if (text[i] == '{') ++depth;
            if (text[i] == '}' && --depth == 0) end = i;
            if (text[i] == ',' && depth == 1) cuts.push_back(i);
        }
        if (end == text.npos) {
            done.push_back(text);
            continue;
        }
        cuts.push_back(end);
        std::vector<std::string> alternatives;
        std::size_t from = start + 1;
        for (const std::size_t cut : cuts) {
            alternatives.push_back(text.substr(0, start) + text.substr(from, cut - from) + text.substr(end + 1));
            from = cut + 1;
        }
        open.insert(open.end(), alternatives.rbegin(), alternatives.rend());
    }
    return done;
}

/// One key that a pattern stands for.
struct match {
    /// As glob(3) returns it, with the pattern's own doubled slashes and dots.
    std::string path;
    /// As of canonical().
    std::string key;
};

inline bool matches(const std::string& pattern, const std::string& text, int flags) noexcept {
    return ::fnmatch(pattern.c_str(), text.c_str(), flags) == 0;
}

inline constexpr std::size_t most_matches = 20000;

/// Component by component, so that `*` does not cross a slash.
inline std::vector<match> expand_in_tree(key_tree& tree, const std::string& pattern) {
    std::vector<std::string> found{""};
    const auto parts = split(pattern);
    for (std::size_t i = 0; i != parts.size(); ++i) {
        const std::string part(parts[i]);
        const std::string slash = i == 0 ? "" : "/";
        std::vector<std::string> next;
        for (const std::string& before : found) {
            if (!is_glob(part)) {
                next.push_back(before + slash + part);
                continue;
            }
            const auto directory = canonical(before);
            if (!directory && !before.empty()) continue;
            for (const std::string& name : tree.names(directory.value_or("")))
                if (next.size() < most_matches && matches(part, name, FNM_PERIOD))
                    next.push_back(before + slash + name);
        }
        found = std::move(next);
    }
    std::vector<match> keys;
    for (std::string& path : found)
        if (auto key = canonical(path); key && tree.look(*key) != key_tree::kind::missing)
            keys.push_back({std::move(path), *std::move(key)});
    return keys;
}

/// What a pattern stands for: the keys of the tree, or those among `candidates` if the tree is not known.
inline std::vector<match> expand_glob(key_tree& tree, const std::string& pattern,
                                      const std::vector<std::string>& candidates) {
    if (pattern.size() > longest_key) return {};
    if (tree.is_known()) return expand_in_tree(tree, pattern);
    std::vector<match> keys;
    const auto whole = canonical(pattern);
    for (const std::string& candidate : candidates)
        if (whole && matches(*whole, candidate, FNM_PATHNAME | FNM_PERIOD)) keys.push_back({candidate, candidate});
    return keys;
}

} // namespace closeside::host::detail::sysctl_d

#endif
