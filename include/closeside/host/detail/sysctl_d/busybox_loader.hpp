// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_BUSYBOX_LOADER_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_BUSYBOX_LOADER_HPP

#include <closeside/host/detail/sysctl_d/glob.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/ledger.hpp>
#include <closeside/host/detail/sysctl_d/lines.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail::sysctl_d {

/// BusyBox' `sysctl -p`: writes every setting in the order of the files and lines, and knows neither patterns nor `-key`.
class busybox_loader {
public:
    using lines = busybox_lines;

    static std::string path_of(std::string_view key) { return with_slashes(key); }

    /// False: there are too many, and it was left out.
    bool add(assignment e) {
        if (assignments_.size() == most_assignments) return false;
        assignments_.push_back(std::move(e));
        return true;
    }

    void apply(ledger& book) const {
        for (const assignment& e : assignments_) {
            if (is_glob(e.path) || e.path.size() > longest_key) continue;
            if (const auto key = canonical(e.path)) book.write(*key, e);
        }
    }

private:
    std::vector<assignment> assignments_;
};

} // namespace closeside::host::detail::sysctl_d

#endif
