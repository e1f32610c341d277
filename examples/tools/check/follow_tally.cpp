// SPDX-License-Identifier: BSL-1.0
#include "follow_tally.hpp"

namespace check::follow {

namespace {

/// A host that is scanned, or a client of everybody, has no end of services.
constexpr std::size_t most = 1024;

} // namespace

void tally::add(const ending& e) {
    ++all_;
    key k{e.why, e.fin, service_of(e.seen.ends)};
    if (counts_.size() >= most && !counts_.contains(k)) k.of = {};
    ++counts_[k];
}

std::uint64_t tally::by(ender e) const {
    std::uint64_t sum = 0;
    for (const auto& [k, n] : counts_)
        if (facts(k.why).by == e) sum += n;
    return sum;
}

// Who connected is not traced; but connect(2) takes its port from a range where no service should be.
service tally::service_of(const connection& ends) const {
    const auto from_range = [&](std::uint16_t port) { return ephemeral_ && ephemeral_->contains(port); };
    const bool elsewhere = from_range(ends.local.port) && !from_range(ends.peer.port);
    return {elsewhere ? ends.peer.port : ends.local.port, !elsewhere};
}

} // namespace check::follow
