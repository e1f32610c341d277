// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include "support/temporary_directory.hpp"

#include <closeside/host/detail/sysctl_d/glob.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/key_tree.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <glob.h>

// Patterns for keys, held against glob(3), which the loaders call.
namespace fuzz::sysctl_glob {

using namespace closeside::host::detail::sysctl_d;
namespace fs = std::filesystem;

const std::vector<std::string> keys{"net/ipv4/tcp_rmem",
                                    "net/ipv4/tcp_wmem",
                                    "net/ipv4/.hidden",
                                    "net/ipv4/conf/all/forwarding",
                                    "net/ipv4/conf/eth0.100/forwarding",
                                    "net/ipv4/conf/lo/forwarding",
                                    "net/core/somaxconn",
                                    "kernel/osrelease"};

/// A root with these keys. It goes with the program.
class made_root {
public:
    made_root() {
        for (const std::string& key : keys) {
            const fs::path file = top() + "/" + key;
            fs::create_directories(file.parent_path());
            directory_.write("proc/sys/" + key, "1\n");
        }
    }
    std::string top() const { return directory_.path("proc/sys"); }
    const tests::temporary_directory& directory() const { return directory_; }

private:
    tests::temporary_directory directory_;
};

/// `.*` finds `.` and `..` as well, which are no keys; systemd keeps glob(3) from them (readdir_no_dot).
bool goes_by_dots(std::string_view path) {
    const auto parts = split(path);
    return std::any_of(parts.begin(), parts.end(), [](std::string_view part) { return part == "." || part == ".."; });
}

std::set<std::string> by_glob(const std::string& top, const std::string& pattern) {
    ::glob_t found{};
    std::set<std::string> paths;
    if (::glob((top + "/" + pattern).c_str(), GLOB_NOSORT | GLOB_BRACE, nullptr, &found) == 0)
        for (std::size_t i = 0; i != found.gl_pathc; ++i)
            if (const auto path = std::string_view(found.gl_pathv[i]).substr(top.size()); !goes_by_dots(path))
                if (const auto key = canonical(path)) paths.insert(*key);
    ::globfree(&found);
    return paths;
}

std::set<std::string> by_us(key_tree& tree, const std::string& pattern) {
    std::set<std::string> paths;
    for (const std::string& alternative : expand_braces(pattern))
        for (const match& found : expand_glob(tree, alternative, keys)) {
            require(canonical(found.path) == found.key, "what a pattern finds is a key");
            require(canonical(found.key) == found.key, "the name of a key is its own");
            paths.insert(found.key);
        }
    return paths;
}

/// glob(3) makes as many alternatives as there are, goes out of the tree by dots, and takes a backslash away from names.
bool is_comparable(const std::string& pattern) {
    return is_glob(pattern) && pattern.size() < 256 && !goes_by_dots(pattern) && pattern.find('\\') == pattern.npos &&
           expand_braces(pattern).size() < most_alternatives / 2;
}

void run(input in) {
    static const made_root root;
    static const int descriptor = ::open(root.directory().path("").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    std::string pattern(in.rest());
    pattern = pattern.substr(0, pattern.find('\0'));

    const auto alternatives = expand_braces(pattern);
    require(alternatives.size() <= most_alternatives, "the alternatives of a pattern are bounded");
    for (const std::string& one : alternatives) require(one.size() <= pattern.size(), "an alternative is no longer");

    key_tree known(descriptor);
    require(known.is_known(), "the tree of keys is known");
    const auto ours = by_us(known, pattern);
    if (is_comparable(pattern)) require(ours == by_glob(root.top(), pattern), "a pattern finds what glob(3) finds");

    key_tree nothing(-1);
    for (const std::string& found : by_us(nothing, pattern))
        require(!is_comparable(pattern) || ours.contains(found), "without a tree a pattern finds no more");
}

const target here("sysctl_glob", run);

} // namespace fuzz::sysctl_glob
