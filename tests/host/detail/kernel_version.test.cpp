// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/kernel_version.hpp>

#include <doctest/doctest.h>

using closeside::host::detail::kernel_version;
using closeside::host::detail::parse_kernel_version;

TEST_CASE("a kernel release begins with its version, whatever a vendor appends") {
    CHECK(parse_kernel_version("6.18.44") == kernel_version{6, 18});
    CHECK(parse_kernel_version("6.18.44-amd64") == kernel_version{6, 18});
    CHECK(parse_kernel_version("3.10.0-1160.el7.x86_64") == kernel_version{3, 10});
    CHECK(parse_kernel_version("4.9") == kernel_version{4, 9});
    CHECK(parse_kernel_version("6.1-rc1") == kernel_version{6, 1});
}

TEST_CASE("a text without two numbers is no kernel release") {
    for (const char* text : {"", "6", "6.", ".18", "Linux 6.18", "-6.18", "6.-18", "6 18", "99999999999.1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_kernel_version(text));
    }
}

TEST_CASE("kernel versions are ordered by number, not by text") {
    CHECK(kernel_version{4, 9} < kernel_version{4, 10});
    CHECK(kernel_version{4, 19} < kernel_version{5, 0});
}
