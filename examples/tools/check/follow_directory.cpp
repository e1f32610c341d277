// SPDX-License-Identifier: BSL-1.0
#include "follow_directory.hpp"

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <mntent.h>
#include <sys/stat.h>
#include <unistd.h>

namespace check::follow {

namespace {

using closeside::detail::owned_descriptor;

constexpr std::string_view prefix = "closeside-";

[[noreturn]] void fail(const std::string& path) { throw std::system_error(errno, std::generic_category(), path); }

int write_all(const std::string& path, std::string_view text) noexcept {
    const owned_descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) return errno;
    // A file of tracefs takes a value in one write.
    const ssize_t n = ::write(file.get(), text.data(), text.size());
    return n == static_cast<ssize_t>(text.size()) ? 0 : n < 0 ? errno : EIO;
}

/// The maker, by the name `closeside-PID` or `closeside-PID-N`, is no more. What has our own number is left by one that had
/// it before, as in a container, where it is always the same: this process makes its instance only after this.
bool has_ended(std::string_view name) {
    pid_t pid = 0;
    std::string_view digits = name.substr(prefix.size());
    digits = digits.substr(0, digits.find('-'));
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    if (error != std::errc() || end != digits.data() + digits.size() || pid <= 0) return false;
    return pid == ::getpid() || (::kill(pid, 0) != 0 && errno == ESRCH);
}

void remove_left_behind(const std::string& instances) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(instances, ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(prefix) && has_ended(name)) ::rmdir(entry.path().c_str());
    }
}

} // namespace

std::string find_tracefs() {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> mounts(::setmntent("/proc/thread-self/mounts", "re"),
                                                                 &::endmntent);
    if (!mounts) return {};
    ::mntent entry{};
    char text[4096];
    while (::getmntent_r(mounts.get(), &entry, text, sizeof text))
        if (std::string_view(entry.mnt_type) == "tracefs") return entry.mnt_dir;
    return {};
}

instance_directory::instance_directory(const std::string& tracefs) {
    const std::string instances = tracefs + "/instances";
    remove_left_behind(instances);
    const std::string name = instances + "/" + std::string(prefix) + std::to_string(::getpid());
    std::string path = name;
    // Processes of other PID namespaces can have the same number.
    constexpr int most_tries = 100;
    for (int tries = 1; ::mkdir(path.c_str(), 0700) != 0; ++tries) {
        if (errno != EEXIST || tries == most_tries) fail(path);
        path = name + "-" + std::to_string(tries);
    }
    path_ = std::move(path);
}

instance_directory::~instance_directory() {
    // Who has just closed a file of it may be seen as its reader for a moment.
    for (int tries = 0; ::rmdir(path_.c_str()) != 0 && errno == EBUSY && tries != 100; ++tries) ::usleep(10'000);
}

std::string instance_directory::read(const std::string& file) const {
    const std::string path = path_ + "/" + file;
    const owned_descriptor source(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source) fail(path);
    constexpr std::size_t most = 1 << 20;
    std::string text;
    char buffer[4096];
    while (text.size() < most) {
        const ssize_t n = ::read(source.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail(path);
        if (n == 0) break;
        text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
}

void instance_directory::write(const std::string& file, std::string_view text) const {
    const std::string path = path_ + "/" + file;
    if (const int error = write_all(path, text)) throw std::system_error(error, std::generic_category(), path);
}

bool instance_directory::try_write(const std::string& file, std::string_view text) const noexcept {
    try {
        return write_all(path_ + "/" + file, text) == 0;
    } catch (...) {
        return false;
    }
}

} // namespace check::follow
