// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_LOSS_PICTURES_HPP
#define CLOSESIDE_LAB_LOSS_PICTURES_HPP

#include "result.hpp"

#include "../support/svg.hpp"

#include <optional>

namespace lab::loss {

/// One reply that was truncated, of a recorded run; nothing if none was.
std::optional<svg::panel> truncated(const outcome& plain_close);

/// One reply that came whole although segments of it were lost; nothing if there is none that fits.
std::optional<svg::panel> complete(const outcome& graceful);

/// How much of the replies came, at the greatest loss.
svg::panel shares(const results& all);

} // namespace lab::loss

#endif
