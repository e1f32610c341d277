// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_VERSION_HPP
#define CLOSESIDE_VERSION_HPP

// CLOSESIDE_VERSION % 100 is the patch level, CLOSESIDE_VERSION / 100 % 1000 the minor and
// CLOSESIDE_VERSION / 100000 the major version. CMake reads this line: keep the number plain decimal.
#define CLOSESIDE_VERSION 100

#endif
