// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_HPP
#define CLOSESIDE_HOST_HPP

/// The host check: reads the sysctls that bear on how connections end and judges them by a program's policies.
/** take_snapshot reads, audit judges, to_line and to_text render, warn_at_startup does it all in one line. Needs
 *  neither Asio nor a privilege. */

#include <closeside/host/audit.hpp>
#include <closeside/host/capacity.hpp>
#include <closeside/host/closing_load.hpp>
#include <closeside/host/config.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/counter.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/program.hpp>
#include <closeside/host/render.hpp>
#include <closeside/host/sinks.hpp>
#include <closeside/host/snapshot.hpp>
#include <closeside/host/startup.hpp>
#include <closeside/host/states.hpp>
#include <closeside/host/suggest.hpp>
#include <closeside/host/suppression.hpp>
#include <closeside/host/take_snapshot.hpp>
#include <closeside/host/tcp_states.hpp>

#endif
