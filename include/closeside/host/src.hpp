// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_SRC_HPP
#define CLOSESIDE_HOST_SRC_HPP

/// The functions of the host check: to be included by one file of a program all of whose files are compiled with
/// CLOSESIDE_SEPARATE_COMPILATION defined.
/** The target closeside::host_compiled brings that file along, and the definition. Needs no Asio. */

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#error "closeside/host/src.hpp needs CLOSESIDE_SEPARATE_COMPILATION: define it for every file of the program"
#endif

#include <closeside/host/impl/audit.ipp>
#include <closeside/host/impl/capacity.ipp>
#include <closeside/host/impl/closing_load.ipp>
#include <closeside/host/impl/config.ipp>
#include <closeside/host/impl/config_view.ipp>
#include <closeside/host/impl/key_value.ipp>
#include <closeside/host/impl/render.ipp>
#include <closeside/host/impl/sinks.ipp>
#include <closeside/host/impl/snapshot.ipp>
#include <closeside/host/impl/startup.ipp>
#include <closeside/host/impl/states.ipp>
#include <closeside/host/impl/suggest.ipp>
#include <closeside/host/impl/suppression.ipp>
#include <closeside/host/impl/take_snapshot.ipp>
#include <closeside/host/impl/tcp_states.ipp>

#endif
