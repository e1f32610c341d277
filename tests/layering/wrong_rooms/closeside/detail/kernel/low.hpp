// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/close/high.hpp>
