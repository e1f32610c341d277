// SPDX-License-Identifier: BSL-1.0
#include <closeside/src.hpp>
