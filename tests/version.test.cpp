// SPDX-License-Identifier: BSL-1.0
#include <closeside/version.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("the version number splits into the version that CMake announces") {
    const std::string version = std::to_string(CLOSESIDE_VERSION / 100000) + "." +
                                std::to_string(CLOSESIDE_VERSION / 100 % 1000) + "." +
                                std::to_string(CLOSESIDE_VERSION % 100);
    CHECK(version == CLOSESIDE_CMAKE_VERSION);
}
