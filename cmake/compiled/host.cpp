// SPDX-License-Identifier: BSL-1.0
// What closeside::host_compiled compiles.
#include <closeside/host/src.hpp>
