// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {} // namespace

std::span<const rule_text> texts_of_rules_5xx() noexcept { return {}; }

} // namespace check
