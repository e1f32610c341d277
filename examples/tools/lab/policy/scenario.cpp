// SPDX-License-Identifier: BSL-1.0
#include "scenario.hpp"

namespace lab::policy {

std::string_view name(peer_kind p) noexcept {
    switch (p) {
    case peer_kind::closes_after_reply: return "closes_after_reply";
    case peer_kind::closes_first: return "closes_first";
    case peer_kind::keeps_sending: return "keeps_sending";
    case peer_kind::never_closes: return "never_closes";
    case peer_kind::stops_reading: return "stops_reading";
    case peer_kind::resets: return "resets";
    }
    return "?";
}

std::string_view name(server_kind s) noexcept {
    switch (s) {
    case server_kind::graceful: return "graceful";
    case server_kind::graceful_unread: return "graceful_unread";
    case server_kind::peer_first: return "peer_first";
    case server_kind::peer_first_or_reset: return "peer_first_or_reset";
    case server_kind::abortive: return "abortive";
    case server_kind::abortive_destroyed: return "abortive_destroyed";
    case server_kind::system: return "system";
    case server_kind::asio_close: return "asio_close";
    case server_kind::asio_unread: return "asio_unread";
    case server_kind::asio_linger_destroyed: return "asio_linger_destroyed";
    case server_kind::asio_linger_close: return "asio_linger_close";
    }
    return "?";
}

} // namespace lab::policy
