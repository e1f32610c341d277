// SPDX-License-Identifier: BSL-1.0
#include "replace_file.hpp"

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace check {

namespace {

using closeside::detail::owned_descriptor;

std::string why() { return std::generic_category().message(errno); }

/// While it lives, signals that end the program wait: the temporary file is not left behind.
class signals_held {
public:
    signals_held() noexcept {
        ::sigset_t ending;
        ::sigemptyset(&ending);
        for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::sigaddset(&ending, s);
        ::sigprocmask(SIG_BLOCK, &ending, &before_);
    }
    ~signals_held() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
    signals_held(const signals_held&) = delete;
    signals_held& operator=(const signals_held&) = delete;

private:
    ::sigset_t before_;
};

/// The file that `path` leads to, through links; empty, with `problem` set, if it cannot be replaced.
std::string find_target(const std::string& path, std::string& problem) {
    struct ::stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        const int error = errno;
        const bool is_link = ::lstat(path.c_str(), &status) == 0;
        if (error == ENOENT && !is_link && path.back() != '/') return path;
        problem = error != ENOENT ? std::generic_category().message(error)
                  : is_link       ? "a link to what does not exist"
                                  : "the name of a directory; give that of a file";
        return {};
    }
    if (!S_ISREG(status.st_mode)) {
        problem = "not a regular file, so it is not replaced";
        return {};
    }
    const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), std::free);
    if (!resolved) problem = why();
    return resolved ? resolved.get() : std::string();
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

/// A name that is as long whatever the target's, and that no collector of *.prom takes for a file of its own.
std::string temporary_beside(const std::string& directory) { return directory + "/.closeside-check-XXXXXX"; }

} // namespace

std::string replace_file(const std::string& path, std::string_view text) {
    std::string problem;
    const std::string target = find_target(path, problem);
    if (target.empty()) return problem;
    const std::size_t slash = target.rfind('/');
    const std::string directory = slash == target.npos ? "." : slash == 0 ? "/" : target.substr(0, slash);

    const signals_held held;
    std::string temporary = temporary_beside(directory);
    const owned_descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!file) return "no file can be made in '" + directory + "': " + why();
    // mkostemp lets only the owner read it.
    if (!write_all(file.get(), text) || ::fchmod(file.get(), 0644) != 0 || ::fsync(file.get()) != 0 ||
        ::rename(temporary.c_str(), target.c_str()) != 0) {
        problem = why();
        ::unlink(temporary.c_str());
        return problem;
    }
    // So that the new name outlives a power cut too; the file is right without it.
    if (const owned_descriptor parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); parent)
        ::fsync(parent.get());
    return {};
}

} // namespace check
