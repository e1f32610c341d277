// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_OPTION_RULES_HPP
#define CLOSESIDE_DETAIL_LISTEN_OPTION_RULES_HPP

#include <closeside/detail/asio/asio.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The sentence for an option that the policy sets, and what to do instead; nullptr for any other.
constexpr const char* broken_option_rule(int level, int name) noexcept {
    if (level == SOL_SOCKET && name == SO_LINGER)
        return "SO_LINGER is the policy's to set: remove this option of the acceptor, and set linger = "
               "lingering::abort or "
               "lingering::until_acked in the policy";
    if (level == SOL_SOCKET && name == SO_REUSEADDR)
        return "SO_REUSEADDR is the policy's to set: remove this option of the acceptor, and set reuse_address in the "
               "policy";
    if (level == IPPROTO_TCP && name == TCP_LINGER2)
        return "TCP_LINGER2 is the policy's to set: remove this option of the acceptor, and set linger2 in the policy";
    return nullptr;
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
