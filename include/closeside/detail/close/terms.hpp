// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_TERMS_HPP
#define CLOSESIDE_DETAIL_CLOSE_TERMS_HPP

#include <closeside/close_policy.hpp>

#include <cstdint>

namespace closeside::detail {

/// What a close is asked for beside its policy.
struct close_manner {
    bool wants_report = true;     ///< somebody waits for what came of it
    bool linger_is_set = false;   ///< SO_LINGER is on the socket as the policy states it
    std::uint32_t last_bytes = 0; ///< how many are to be sent as the connection's last
    bool says_goodbye = false;    ///< … which a peer whose FIN is in need not have got
    bool heard_goodbye = false;   ///< the peer's own has been read
    int linger2 = 0; ///< TCP_LINGER2 of an orphan, if the socket may be without it (Asio has filled it); 0: left alone
    int option_error = 0; ///< errno of an option that the policy wants and the socket does not have
};

/// What of a policy still matters once the close has begun, but for its times (close_clock).
struct close_terms {
    constexpr close_terms(const close_policy& p) noexcept
        : peer_first(p.closes_first == side::peer), drains(p.drain_time.count != 0),
          aborts(p.linger == lingering::abort), lingers(p.linger.how == lingering::mode::until_acked),
          aborts_at_limit(p.on_limit == limit_action::abort), skips_fin_wait2(p.linger2 == fin_wait2::skip) {}

    /// Nothing to look at, to send or to wait for before close(2)?
    constexpr bool releases_at_once() const noexcept { return aborts || (!peer_first && !drains && !lingers); }

    bool peer_first;
    bool drains;
    bool aborts;
    bool lingers;
    bool close_aborts = false; ///< by an SO_LINGER that is set already
    bool aborts_at_limit;
    bool skips_fin_wait2;
};

} // namespace closeside::detail

#endif
