// SPDX-License-Identifier: BSL-1.0
// The standard headers that closeside/policy.hpp includes, directly or through others of ours.
#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <string>
