// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_OPTION_RULES_HPP
#define CLOSESIDE_DETAIL_LISTEN_OPTION_RULES_HPP

#include <closeside/detail/asio/asio.hpp>

#include <type_traits>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

// The options that the policy sets and an acceptor's caller must not: Asio's type, if it has one, is refused by the
// compiler, any other with the same level and name at run time, both with the one sentence.
// clang-format off
#define CLOSESIDE_OPTION_RULES(RULE)                                                                                   \
    RULE(asio::socket_base::linger, SOL_SOCKET, SO_LINGER,                                                             \
         "SO_LINGER is the policy's to set: remove this option of the acceptor, and set linger = lingering::abort or " \
         "lingering::until_acked in the policy")                                                                       \
    RULE(asio::socket_base::reuse_address, SOL_SOCKET, SO_REUSEADDR,                                                   \
         "SO_REUSEADDR is the policy's to set: remove this option of the acceptor, and set reuse_address in the policy")
// clang-format on

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Why an acceptor cannot take the option, and what to do instead; nullptr if it can.
constexpr const char* broken_option_rule(int level, int name) noexcept {
#define CLOSESIDE_RULE(TYPE, LEVEL, NAME, SENTENCE)                                                                    \
    if (level == LEVEL && name == NAME) return SENTENCE;
    CLOSESIDE_OPTION_RULES(CLOSESIDE_RULE)
#undef CLOSESIDE_RULE
    if (level == IPPROTO_TCP && name == TCP_LINGER2)
        return "TCP_LINGER2 is the policy's to set: remove this option of the acceptor, and set linger2 in the policy";
    return nullptr;
}

/// Instantiating this is the compile-time check.
template <class Option>
struct checked_option {
#define CLOSESIDE_RULE(TYPE, LEVEL, NAME, SENTENCE) static_assert(!std::is_same_v<Option, TYPE>, SENTENCE);
    CLOSESIDE_OPTION_RULES(CLOSESIDE_RULE)
#undef CLOSESIDE_RULE
    static constexpr bool value = true;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#undef CLOSESIDE_OPTION_RULES

#endif
