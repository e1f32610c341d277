// SPDX-License-Identifier: BSL-1.0
#include "variant.hpp"

namespace lab::tls {

std::chrono::milliseconds cost_of_silence(server_kind s) noexcept {
    switch (s) {
    case server_kind::graceful:
    case server_kind::dropped: return drain_idle;
    case server_kind::peer_first: return patience + drain_idle;
    case server_kind::peer_first_or_reset: return patience;
    default: return {};
    }
}

const char* to_string(server_kind s) noexcept {
    switch (s) {
    case server_kind::graceful: return "graceful";
    case server_kind::peer_first: return "peer_first";
    case server_kind::peer_first_or_reset: return "peer_first_or_reset";
    case server_kind::abortive: return "abortive";
    case server_kind::system: return "system";
    case server_kind::dropped: return "graceful, dropped";
    case server_kind::asio_destroyed: return "Asio, destroyed";
    case server_kind::asio_shutdown: return "Asio, async_shutdown";
    }
    return "?";
}

const char* to_string(peer_kind p) noexcept {
    switch (p) {
    case peer_kind::answers: return "answers";
    case peer_kind::s_client: return "s_client";
    case peer_kind::curl: return "curl";
    case peer_kind::keeps_sending: return "keeps sending";
    case peer_kind::never_closes: return "never closes";
    case peer_kind::closes_first: return "closes first";
    case peer_kind::closes_unread: return "closes unread";
    case peer_kind::stops_half_way: return "stops half-way";
    case peer_kind::resets: return "resets";
    }
    return "?";
}

const char* to_string(protocol p) noexcept {
    switch (p) {
    case protocol::tcp: return "TCP";
    case protocol::tls1_2: return "TLS 1.2";
    case protocol::tls1_3: return "TLS 1.3";
    }
    return "?";
}

std::string name_of(const variant& v) {
    return std::string(to_string(v.server)) + ", " + to_string(v.peer) + ", " + to_string(v.over);
}

} // namespace lab::tls
