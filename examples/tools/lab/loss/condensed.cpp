// SPDX-License-Identifier: BSL-1.0
#include "condensed.hpp"

#include <array>
#include <optional>

namespace lab::loss {

namespace {

/// Knows what a direction has sent: sequence numbers wrap, differences do not.
class sent {
public:
    bool before(const observation::segment& s) const {
        return end_ && static_cast<std::int32_t>(s.sequence - *end_) < 0 && s.length + (s.fin ? 1 : 0) > 0;
    }
    void add(const observation::segment& s) {
        const std::uint32_t end = s.sequence + s.length + (s.fin ? 1u : 0u);
        if (!end_ || static_cast<std::int32_t>(end - *end_) > 0) end_ = end;
    }

private:
    std::optional<std::uint32_t> end_;
};

bool goes_on(const burst& b, const observation::segment& next, bool again) {
    return b.first.outgoing == next.outgoing && b.first.rst == next.rst && b.first.fin == next.fin && b.again == again;
}

} // namespace

std::vector<burst> condensed(const std::vector<observation::segment>& segments) {
    std::vector<burst> all;
    std::array<sent, 2> directions;
    for (const observation::segment& s : segments) {
        if (s.syn || (s.length == 0 && !s.fin && !s.rst)) continue;
        sent& direction = directions[s.outgoing ? 1 : 0];
        const bool again = !s.rst && direction.before(s);
        if (!s.rst) direction.add(s);
        if (!all.empty() && goes_on(all.back(), s, again)) {
            ++all.back().segments;
            all.back().bytes += s.length;
        } else {
            all.push_back({s, 1, s.length, again});
        }
    }
    return all;
}

} // namespace lab::loss
