// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_TAKE_SNAPSHOT_IPP
#define CLOSESIDE_HOST_IMPL_TAKE_SNAPSHOT_IPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/detail/read_host.hpp>
#include <closeside/host/snapshot.hpp>
#include <closeside/host/take_snapshot.hpp>

#include <cerrno>
#include <chrono>

namespace closeside::host {

CLOSESIDE_DECL snapshot take_snapshot(const snapshot_options& options) noexcept {
    snapshot s;
    try {
        s.root = options.root;
        s.taken = std::chrono::steady_clock::now();
        detail::read_host(s, s.root.c_str());
    } catch (...) {
        s.error = ENOMEM;
    }
    return s;
}

} // namespace closeside::host

#endif
