// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SERVE_NGINX_HPP
#define CLOSESIDE_BENCHMARK_SERVE_NGINX_HPP

#include "contender.hpp"

#include <optional>

namespace benchmark_serve {

/// nginx with `lingering_close always`, as all our servers linger, or with `on`, its default: only where the request
/// has not been read to its end.
enum class lingering_close { always, on };

/// Nothing, and a line on standard error, if it is not installed.
std::optional<server> nginx(lingering_close mode);

} // namespace benchmark_serve

#endif
