// SPDX-License-Identifier: BSL-1.0
#ifndef POLICY_LAB_OWN_NETWORK_HPP
#define POLICY_LAB_OWN_NETWORK_HPP

namespace policy_lab {

enum class network {
    own,                   ///< a network namespace of this process alone
    own_in_user_namespace, ///< the same, reached without root through a user namespace
    shared                 ///< neither is permitted: the namespace this process was started in
};

const char* to_string(network n) noexcept;

/// Moves the process into a network namespace of its own and brings up `lo` there.
/** The host's TCP table stays clean, the packet witness sees this process alone, and both end with it.
 *  Call it while the process has one thread. Throws std::system_error when the new namespace gets no loopback. */
network enter_own_network();

} // namespace policy_lab

#endif
