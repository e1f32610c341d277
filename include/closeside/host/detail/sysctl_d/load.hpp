// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_LOAD_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_LOAD_HPP

#include <closeside/host/detail/sysctl_d/file_content.hpp>
#include <closeside/host/detail/sysctl_d/file_list.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/ledger.hpp>
#include <closeside/host/detail/sysctl_d/lines.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail::sysctl_d {

/// A line, by file and number.
using line_id = std::pair<std::string, unsigned>;

/// What was read from the files of a root: each of them once, whatever the number of loaders that read it.
struct loaded_files {
    std::map<std::string, file_content> contents;
    /// Those that a loader reads, and is not kept from by a file of the same name.
    std::set<std::string> in_force;
    /// Lines that set nothing for want of a `=`.
    std::map<line_id, std::string> without_equals;
    /// Lines whose key cannot be one, and those that at least one loader finds a key under net in.
    std::map<line_id, std::string> strange_keys;
    std::set<line_id> good_lines;
    /// Keys that lines name, as of canonical().
    std::set<std::string> named;
    /// Files of which not every line was taken.
    std::set<std::string> cut;
};

/// Somebody meant a network key here.
inline bool speaks_of_net(std::string_view key) {
    std::string lower(key.substr(0, longest_key));
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    for (const std::string_view part :
         {"net.ipv4", "net/ipv4", "net.core", "net/core", "net.netfilter", "net/netfilter"})
        if (lower.find(part) != lower.npos) return true;
    return false;
}

/// Reads a file for one loader.
template <class Loader>
void load_file(int root, const listed_file& from, Loader& loader, ledger& book, loaded_files& all) {
    const auto [at, is_new] = all.contents.try_emplace(from.path);
    if (is_new) at->second = read_file(root, from.path);
    const bool masked = !from.masked_by.empty();
    if (!masked) all.in_force.insert(from.path);

    typename Loader::lines lines(at->second.bytes);
    while (const auto found = lines.next()) {
        const line_id id{from.path, found->number};
        if (found->what == line::kind::no_setting) {
            if (!masked) all.without_equals.try_emplace(id, found->key.substr(0, 80));
            continue;
        }
        const bool is_exclusion = found->what == line::kind::exclusion;
        assignment e{from.path, found->number, Loader::path_of(found->key), std::string(found->value), is_exclusion};
        const auto key = is_glob(e.path) || is_exclusion ? std::nullopt : canonical(e.path);
        if (masked) {
            if (key) book.pass_by(*key, e, config_key::loss::masked, from.masked_by);
            continue;
        }
        if (e.path.starts_with("net/") || (key && key->starts_with("net/"))) all.good_lines.insert(id);
        if (key && key->starts_with("net/"))
            all.named.insert(*key);
        else if (!is_exclusion && !is_glob(e.path) && speaks_of_net(found->key))
            all.strange_keys.try_emplace(id, found->key.substr(0, 80));
        if (!loader.add(std::move(e))) all.cut.insert(from.path);
    }
}

template <class Loader>
void load_files(int root, const std::vector<listed_file>& files, Loader& loader, ledger& book, loaded_files& all) {
    for (const listed_file& file : files) load_file(root, file, loader, book, all);
}

} // namespace closeside::host::detail::sysctl_d

#endif
