// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_OWN_NETWORK_HPP
#define CLOSESIDE_OBSERVATION_OWN_NETWORK_HPP

#include <cstdint>

namespace observation {

enum class network : std::uint8_t {
    own,                   ///< a network namespace of this process alone
    own_in_user_namespace, ///< the same, reached without root through a user namespace
    shared                 ///< neither is permitted: the namespace this process was started in
};

const char* to_string(network n) noexcept;

/// Moves the process into a network namespace of its own, whose interfaces are all down.
/** The host's TCP table stays clean, captures see this process alone, and both end with it. In a user namespace the
 *  process is root, as are the programs that it runs. Call it while the process has one thread. */
network leave_shared_network();

/// The same, and brings up `lo` there. Throws std::system_error if the new namespace gets no loopback.
network enter_own_network();

/// Brings up `lo` in the calling thread's network namespace. Throws std::system_error.
void bring_up_loopback();

} // namespace observation

#endif
