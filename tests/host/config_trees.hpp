// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_HOST_CONFIG_TREES_HPP
#define CLOSESIDE_TESTS_HOST_CONFIG_TREES_HPP

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace tests {

/// One thing that a tree of configuration files holds.
struct tree_entry {
    enum class kind { file, link, directory, fifo };
    kind what;
    std::string path;
    /// Of a file: its bytes; of a link: its target.
    std::string content{};
    mode_t mode = 0644;
};

/// What a key has after each loader; "" where the loader leaves it as it is.
struct expected_value {
    std::string key;
    std::string systemd;
    std::string procps;
};

/// A tree of configuration files, and what the loaders make of it.
struct config_tree {
    std::string title;
    std::vector<tree_entry> entries;
    std::vector<expected_value> expected;
    /// The real loaders hang or spin at it.
    bool harmful = false;
};

namespace config_tree_words {

inline const std::string fin = "net.ipv4.tcp_fin_timeout";
inline const std::string reuse = "net.ipv4.tcp_tw_reuse";
inline const std::string range = "net.ipv4.ip_local_port_range";
inline const std::string reserved = "net.ipv4.ip_local_reserved_ports";
inline const std::string lo_filter = "net.ipv4.conf.lo.rp_filter";

/// With `$F` for net.ipv4.tcp_fin_timeout, `$f` for its path, `$R` for net.ipv4.tcp_tw_reuse, `$P` for the port range.
inline std::string text(std::string_view pattern) {
    std::string out;
    for (std::size_t i = 0; i != pattern.size(); ++i) {
        const char next = i + 1 != pattern.size() ? pattern[i + 1] : '\0';
        if (pattern[i] != '$' || (next != 'F' && next != 'f' && next != 'R' && next != 'P')) {
            out += pattern[i];
            continue;
        }
        out += next == 'F' ? fin : next == 'f' ? "net/ipv4/tcp_fin_timeout" : next == 'R' ? reuse : range;
        ++i;
    }
    return out;
}

inline tree_entry file(std::string path, std::string_view content, mode_t mode = 0644) {
    return {tree_entry::kind::file, std::move(path), text(content), mode};
}
inline tree_entry link_to(std::string path, std::string target) {
    return {tree_entry::kind::link, std::move(path), std::move(target)};
}
inline tree_entry directory(std::string path) { return {tree_entry::kind::directory, std::move(path)}; }
inline tree_entry fifo(std::string path) { return {tree_entry::kind::fifo, std::move(path)}; }

/// One file below /etc/sysctl.d with these lines.
inline std::vector<tree_entry> lines(std::string_view content) { return {file("etc/sysctl.d/10.conf", content)}; }

/// tcp_fin_timeout under both loaders, or under each.
inline std::vector<expected_value> both(const std::string& value) { return {{fin, value, value}}; }
inline std::vector<expected_value> each(const std::string& systemd, const std::string& procps) {
    return {{fin, systemd, procps}};
}
inline std::vector<expected_value> none() { return both(""); }

} // namespace config_tree_words

/// Makes the entries of a tree, and the directories that the loaders look into, below `root`.
inline void make_tree(const std::filesystem::path& root, const config_tree& tree) {
    for (const char* directory : {"etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d"})
        std::filesystem::create_directories(root / directory);
    if (!std::filesystem::exists(std::filesystem::symlink_status(root / "lib")))
        std::filesystem::create_symlink("usr/lib", root / "lib");
    for (const tree_entry& e : tree.entries) {
        const auto path = root / e.path;
        std::filesystem::create_directories(path.parent_path());
        switch (e.what) {
        case tree_entry::kind::file: {
            std::ofstream(path, std::ios::binary) << e.content;
            if (::chmod(path.c_str(), e.mode) != 0) throw std::runtime_error("chmod " + e.path);
            break;
        }
        case tree_entry::kind::link: std::filesystem::create_symlink(e.content, path); break;
        case tree_entry::kind::directory: std::filesystem::create_directories(path); break;
        case tree_entry::kind::fifo:
            if (::mkfifo(path.c_str(), 0644) != 0) throw std::runtime_error("mkfifo " + e.path);
            break;
        }
    }
}

/// Those in the style of files on servers and in tutorials.
std::vector<config_tree> trees_of_real_files();

/// Every tree: order and masks, lines, separators, patterns, exclusions, values, files that are none.
const std::vector<config_tree>& config_trees();

} // namespace tests

#endif
