// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_SNAPSHOT_IPP
#define CLOSESIDE_HOST_IMPL_SNAPSHOT_IPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <string>

namespace closeside::host {

CLOSESIDE_DECL std::string snapshot::path(key k) const {
    std::string path = root;
    if (path.empty() || path.back() != '/') path += '/';
    path += "proc/sys/";
    std::string name(to_string(k));
    std::replace(name.begin(), name.end(), '.', '/');
    return path + name;
}

} // namespace closeside::host

#endif
