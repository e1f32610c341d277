// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_STATE_NAME_HPP
#define CLOSESIDE_OBSERVATION_STATE_NAME_HPP

#include <closeside/detail/kernel/tcp_state.hpp>

namespace observation {

using closeside::detail::tcp_state;

/// The name in RFC 9293; "none" for `unknown`, which is what the kernel does not know.
constexpr const char* state_name(tcp_state state) noexcept {
    return state == tcp_state::unknown ? "none" : to_string(state);
}

} // namespace observation

#endif
