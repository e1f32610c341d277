// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SERVE_NGINX_HPP
#define CLOSESIDE_BENCHMARK_SERVE_NGINX_HPP

#include "contender.hpp"

#include <optional>

namespace benchmark_serve {

/// nginx with `lingering_close always`; nothing, and a line on standard error, if it is not installed.
std::optional<server> nginx();

} // namespace benchmark_serve

#endif
