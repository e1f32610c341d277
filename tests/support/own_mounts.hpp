// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_OWN_MOUNTS_HPP
#define CLOSESIDE_TESTS_SUPPORT_OWN_MOUNTS_HPP

#include <sched.h>
#include <sys/mount.h>

namespace tests {

/// Gives this process a mount namespace of its own, whose mounts no other sees; false without the right to it.
inline bool take_own_mounts() {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

} // namespace tests

#endif
