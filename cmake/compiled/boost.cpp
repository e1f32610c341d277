// SPDX-License-Identifier: BSL-1.0
// What closeside::boost_compiled compiles.
#include <closeside/src.hpp>
