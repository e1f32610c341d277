// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_PATH_IN_ROOT_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_PATH_IN_ROOT_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <climits>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace closeside::host::detail::sysctl_d {

using closeside::detail::owned_descriptor;

/// Where a path leads that is looked up below a root, as after chroot(2): no link leaves the root.
struct located {
    /// 0, or the errno of the step that failed: ENOENT, ENOTDIR, ELOOP, EACCES, …
    int error = 0;
    /// What it leads to, from the root and without links; after ENOENT as far as it is known.
    std::string path;
    bool through_link = false;
    /// The directory that holds it, and its name there; nothing after an error.
    owned_descriptor directory;
    std::string name;
    struct ::stat status {};
};

/// One look-up: the directories on the way down, so that `..` needs no second look and cannot climb over the root.
class descent {
public:
    explicit descent(int root) noexcept : root_(root) {}

    located find(std::string_view path) {
        located found;
        pending_ = path;
        while (found.error == 0) {
            const std::string_view component = take_component();
            if (component.empty()) return arrive_at_directory(std::move(found));
            if (component == ".") continue;
            if (component == "..") {
                if (!way_.empty()) way_.pop_back();
                continue;
            }
            step(std::string(component), found);
            if (found.directory) return found;
        }
        return found;
    }

private:
    struct passed {
        std::string name;
        owned_descriptor directory;
    };

    /// As many as the kernel follows (MAXSYMLINKS).
    static constexpr int most_links = 40;

    int here() const noexcept { return way_.empty() ? root_ : way_.back().directory.get(); }

    std::string path_here() const {
        std::string path;
        for (const passed& p : way_) path += "/" + p.name;
        return path;
    }

    std::string_view take_component() {
        position_ = pending_.find_first_not_of('/', position_);
        if (position_ == std::string::npos) position_ = pending_.size();
        const std::size_t start = position_;
        position_ = pending_.find('/', start);
        if (position_ == std::string::npos) position_ = pending_.size();
        return std::string_view(pending_).substr(start, position_ - start);
    }

    bool is_last() const { return pending_.find_first_not_of('/', position_) == std::string::npos; }

    void step(std::string name, located& found) {
        if (::fstatat(here(), name.c_str(), &found.status, AT_SYMLINK_NOFOLLOW) != 0) {
            found.error = errno;
            found.path = path_here() + "/" + name + pending_.substr(position_);
        } else if (S_ISLNK(found.status.st_mode)) {
            follow(name, found);
        } else if (is_last()) {
            found.path = path_here() + "/" + name;
            found.directory = owned_descriptor(::openat(here(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
            if (!found.directory) found.error = errno;
            found.name = std::move(name);
        } else {
            owned_descriptor next(::openat(here(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (next)
                way_.push_back({std::move(name), std::move(next)});
            else
                found.error = errno;
        }
    }

    void follow(const std::string& name, located& found) {
        found.through_link = true;
        char target[PATH_MAX];
        const ssize_t n = ::readlinkat(here(), name.c_str(), target, sizeof target);
        if (n <= 0 || ++links_ > most_links) {
            found.error = n < 0 ? errno : n == 0 ? ENOENT : ELOOP;
            found.path = path_here() + "/" + name;
            return;
        }
        if (target[0] == '/') way_.clear();
        pending_ = std::string(target, static_cast<std::size_t>(n)) + pending_.substr(position_);
        position_ = 0;
    }

    located arrive_at_directory(located found) {
        found.path = path_here().empty() ? "/" : path_here();
        found.name = ".";
        found.directory = owned_descriptor(::openat(here(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!found.directory || ::fstatat(here(), ".", &found.status, 0) != 0) found.error = errno;
        return found;
    }

    int root_;
    int links_ = 0;
    std::string pending_;
    std::size_t position_ = 0;
    std::vector<passed> way_;
};

/// Looks `path` up below the directory `root`, as openat2(2) does with RESOLVE_IN_ROOT, and also if the kernel
/// (before 5.6) or a container's system-call filter has no openat2. Opens nothing but directories, with O_PATH.
inline located locate(int root, std::string_view path) { return descent(root).find(path); }

/// The names in a directory, `.` and `..` apart; error 0 or an errno.
struct directory_names {
    int error = 0;
    /// There are more than were asked for.
    bool cut = false;
    std::vector<std::string> names;
};

inline directory_names list_directory(const located& where, std::size_t at_most) {
    directory_names listed;
    if ((listed.error = where.error) != 0) return listed;
    owned_descriptor fd(::openat(where.directory.get(), where.name.c_str(),
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) {
        listed.error = errno;
        return listed;
    }
    ::DIR* const directory = ::fdopendir(fd.get());
    if (!directory) {
        listed.error = errno;
        return listed;
    }
    (void)fd.release();
    struct closer {
        ::DIR* d;
        ~closer() { ::closedir(d); }
    } const close_at_end{directory};

    for (;;) {
        errno = 0;
        const ::dirent* const entry = ::readdir(directory);
        if (!entry) {
            listed.error = errno;
            return listed;
        }
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (listed.names.size() == at_most) {
            listed.cut = true;
            return listed;
        }
        listed.names.emplace_back(name);
    }
}

} // namespace closeside::host::detail::sysctl_d

#endif
