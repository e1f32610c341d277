// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_PROGRAMS_HPP
#define CLOSESIDE_LAB_TLS_PROGRAMS_HPP

#include "peer.hpp"

namespace lab::tls {

/// Whether the program behind a peer is installed; true for peers that need none.
bool is_installed(peer_kind p);

// They run in the calling thread's host to their end. Throw std::runtime_error if they do not end.
peer_view run_s_client(observation::endpoint server);
peer_view run_curl(observation::endpoint server);

} // namespace lab::tls

#endif
