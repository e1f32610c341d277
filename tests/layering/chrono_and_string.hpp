// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <string>
