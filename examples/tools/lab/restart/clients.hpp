// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_RESTART_CLIENTS_HPP
#define CLOSESIDE_LAB_RESTART_CLIENTS_HPP

#include "../support/observed.hpp"

#include "old_server.hpp"

namespace lab::restart {

/// Connects to the server's port from a host, each time from another port. Not thread-safe.
descriptor connect_to(const host& from, const char* address);

void tell(const descriptor& connection, order what);

/// Until the server has closed; throws if it takes longer than 20 s.
void wait_for_end(const descriptor& connection);

} // namespace lab::restart

#endif
