// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_PROC_VIEW_HPP
#define CLOSESIDE_TESTS_SUPPORT_PROC_VIEW_HPP

#include "own_mounts.hpp"

#include <sys/mount.h>
#include <unistd.h>

// For the body of in_own_network: /proc as containers and hardened services have it.
namespace tests {

enum class proc_view {
    sys_read_only,  ///< as container runtimes mount /proc/sys
    sys_masked,     ///< an empty file system lies over /proc/sys
    processes_only, ///< as systemd's ProcSubset=pid has it
    absent          ///< nothing is mounted on /proc, or an empty file system
};

inline const char* to_string(proc_view v) {
    switch (v) {
    case proc_view::sys_read_only: return "/proc/sys read-only";
    case proc_view::sys_masked: return "/proc/sys masked";
    case proc_view::processes_only: return "/proc with processes only";
    case proc_view::absent: return "no /proc";
    }
    return "?";
}

/// Gives this process a mount namespace of its own with such a /proc; false without the right to it.
inline bool take_proc_view(proc_view v) {
    if (!take_own_mounts()) return false;
    switch (v) {
    case proc_view::sys_read_only:
        return ::mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr) == 0 &&
               ::mount(nullptr, "/proc/sys", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
    case proc_view::sys_masked: return ::mount("masked", "/proc/sys", "tmpfs", MS_RDONLY, nullptr) == 0;
    case proc_view::processes_only: return ::mount("proc", "/proc", "proc", 0, "subset=pid") == 0;
    case proc_view::absent:
        // What belongs to a user namespace above cannot be unmounted, only covered.
        while (::umount2("/proc", MNT_DETACH) == 0) {
        }
        return ::access("/proc/self", F_OK) != 0 || ::mount("masked", "/proc", "tmpfs", MS_RDONLY, nullptr) == 0;
    }
    return false;
}

} // namespace tests

#endif
