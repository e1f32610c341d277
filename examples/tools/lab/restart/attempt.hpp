// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_RESTART_ATTEMPT_HPP
#define CLOSESIDE_LAB_RESTART_ATTEMPT_HPP

#include "../support/observed.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace lab::restart {

/// How the restarted server asks for its port.
enum class newcomer : std::uint8_t {
    plain,            ///< bind and listen without an option
    reuse_address,    ///< with SO_REUSEADDR
    reuse_port,       ///< with SO_REUSEPORT alone
    acceptor,         ///< closeside::acceptor of a policy with reuse_address = true, the default
    acceptor_without, ///< of one with reuse_address = false
};

inline constexpr std::array newcomers{newcomer::plain, newcomer::reuse_address, newcomer::reuse_port,
                                      newcomer::acceptor, newcomer::acceptor_without};

const char* to_string(newcomer n) noexcept;
const char* key(newcomer n) noexcept; ///< in JSON

struct attempt {
    newcomer who = newcomer::plain;
    int error = 0;
    std::string said; ///< an acceptor's exception
};

/// Tries to listen on the server's port, and closes again.
attempt try_to_listen(const host& where, newcomer who);

} // namespace lab::restart

#endif
