// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_SPELLING_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_SPELLING_HPP

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host::detail::sysctl_d {

inline std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i != a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j != b.size(); ++j) {
            const std::size_t above = row[j + 1];
            row[j + 1] = std::min({row[j] + 1, above + 1, diagonal + (a[i] == b[j] ? 0U : 1U)});
            diagonal = above;
        }
    }
    return row.back();
}

/// What names are meant by misspelt ones. A file may have more of these than anybody will correct one by one: only so
/// many are looked into, and the others pass without a suggestion.
class spelling {
public:
    static constexpr std::size_t most_looked_into = 32;

    /// The one among `names` that is nearest to `name`; empty if none is near.
    std::string nearest(std::string_view name, const std::vector<std::string>& names) {
        constexpr std::size_t longest = 64;
        std::string best;
        std::size_t distance = 4;
        if (name.size() >= longest || looked_into_ == most_looked_into) return best;
        ++looked_into_;
        for (const std::string& candidate : names) {
            const std::size_t apart = std::max(name.size(), candidate.size()) - std::min(name.size(), candidate.size());
            if (apart >= distance) continue;
            if (const std::size_t d = edit_distance(name, candidate); d < distance) {
                distance = d;
                best = candidate;
            }
        }
        return best;
    }

private:
    std::size_t looked_into_ = 0;
};

} // namespace closeside::host::detail::sysctl_d

#endif
