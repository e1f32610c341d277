// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_KEY_TREE_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_KEY_TREE_HPP

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>
#include <closeside/detail/kernel/sysctl_text.hpp>
#include <closeside/host/detail/sysctl_d/known_names.hpp>
#include <closeside/host/detail/sysctl_d/path_in_root.hpp>
#include <closeside/host/key_value.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace closeside::host::detail::sysctl_d {

/// The keys that a kernel has: this one's, below proc/sys of a root, looked up when asked for; or those told of another.
class key_tree {
public:
    enum class kind : std::uint8_t { missing, key, read_only_key, directory };

    explicit key_tree(int root) {
        const located where = locate(root, "/proc/sys");
        if (where.error == 0)
            sysctls_ = owned_descriptor(
                ::openat(where.directory.get(), where.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        known_ = sysctls_ && look("net") == kind::directory;
    }

    /// Of a kernel that is not here: what these keys show there. It may have others.
    explicit key_tree(std::map<std::string, std::string> values) : told_(std::move(values)) {
        for (const std::string_view name : known_names) {
            const std::size_t slash = name.rfind('/');
            names_[std::string(name.substr(0, slash))].emplace_back(name.substr(slash + 1));
        }
    }

    /// Some kernel has a key of that path.
    bool is_name(const std::string& path) const {
        return told_.contains(path) || std::find(known_names.begin(), known_names.end(), path) != known_names.end();
    }

    /// False: the root has no proc/sys/net, and nothing tells which keys exist.
    bool is_known() const noexcept { return known_; }

    /// `path` as of canonical(). A file can name a key for ever, so that each is looked up once.
    kind look(const std::string& path) const {
        if (told_.contains(path)) return kind::key;
        if (!sysctls_) return kind::missing;
        const auto [at, is_new] = looked_up_.try_emplace(path, kind::missing);
        if (is_new) at->second = look_up(path);
        return at->second;
    }

    /// What the kernel has under a key now: one line of text.
    key_value read(const std::string& path) const {
        if (const auto told = told_.find(path); told != told_.end())
            return {key_status::present, told->second, {}, {}, {}};
        if (!sysctls_) return {};
        const located where = locate(sysctls_.get(), path);
        if (where.error != 0) return of_error(where.error, nullptr);
        if (S_ISDIR(where.status.st_mode)) return {};
        const closeside::detail::file_content file =
            closeside::detail::read_regular_file(where.directory.get(), where.name.c_str());
        if (file.error != 0) return of_error(file.error, file.problem);
        const std::string_view text = closeside::detail::without_line_end(file.bytes);
        if (!closeside::detail::is_one_printable_line(text))
            return {key_status::malformed, closeside::detail::printable_excerpt(text), {}, {}, "not one line of text"};
        return {key_status::present, std::string(text), {}, {}, {}};
    }

    /// The names in a directory, in order; at most most_names of them.
    const std::vector<std::string>& names(const std::string& path) {
        const auto [at, is_new] = names_.try_emplace(path);
        if (is_new && sysctls_ && names_.size() <= most_directories) {
            directory_names listed = list_directory(locate(sysctls_.get(), path), most_names);
            std::sort(listed.names.begin(), listed.names.end());
            at->second = std::move(listed.names);
        }
        return at->second;
    }

    static constexpr std::size_t most_names = 20000;
    static constexpr std::size_t most_directories = 20000;

private:
    kind look_up(const std::string& path) const {
        const located where = locate(sysctls_.get(), path);
        if (where.error != 0) return kind::missing;
        if (S_ISDIR(where.status.st_mode)) return kind::directory;
        return (where.status.st_mode & S_IWUSR) != 0 ? kind::key : kind::read_only_key;
    }

    static key_value of_error(int error, const char* problem) {
        if (error == ENOENT || error == ENOTDIR) return {};
        const bool denied = error == EACCES || error == EPERM;
        return {denied ? key_status::denied : key_status::malformed,
                {},
                {},
                {},
                problem ? problem : std::generic_category().message(error)};
    }

    std::map<std::string, std::string> told_;
    owned_descriptor sysctls_;
    bool known_ = false;
    mutable std::map<std::string, kind> looked_up_;
    std::map<std::string, std::vector<std::string>> names_;
};

} // namespace closeside::host::detail::sysctl_d

#endif
