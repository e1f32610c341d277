// SPDX-License-Identifier: BSL-1.0
// What closeside::compiled compiles.
#include <closeside/src.hpp>
