// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_TALLY_HPP
#define CLOSESIDE_CHECK_FOLLOW_TALLY_HPP

#include "follow_ending.hpp"

#include <closeside/detail/kernel/local_ports.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace check::follow {

/// The service that a connection was of: this host's, or one that it was a client of.
struct service {
    std::uint16_t port = 0; ///< 0: the services for which there was no room any more
    bool here = true;

    friend auto operator<=>(const service&, const service&) = default;
};

/// Endings, counted by why and of which service.
class tally {
public:
    struct key {
        cause why;
        first_fin fin;
        service of;

        friend auto operator<=>(const key&, const key&) = default;
    };

    void add(const ending& e);

    const std::map<key, std::uint64_t>& counts() const { return counts_; }
    std::uint64_t all() const { return all_; }
    std::uint64_t by(ender e) const;

private:
    service service_of(const connection& ends) const;

    std::map<key, std::uint64_t> counts_;
    std::uint64_t all_ = 0;
    std::optional<closeside::detail::port_range> ephemeral_ = closeside::detail::local_port_range();
};

} // namespace check::follow

#endif
