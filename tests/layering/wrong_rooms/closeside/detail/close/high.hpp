// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/kernel/low.hpp>
