// SPDX-License-Identifier: BSL-1.0
// With odr_b.test.cpp: everything that the headers define may be in two translation units of one program.
#include <closeside/error.hpp>
#include <closeside/policy.hpp>
#include <closeside/report.hpp>

#include <doctest/doctest.h>

#include <string>
#include <system_error>

namespace odr_b {
const std::error_category* category();
const closeside::close_policy* graceful();
std::string text();
} // namespace odr_b

TEST_CASE("two translation units share one error category and one preset") {
    CHECK(odr_b::category() == &closeside::error_category());
    CHECK(odr_b::graceful() == &closeside::policies::graceful);
    CHECK(odr_b::text() == to_string(closeside::policies::graceful) + to_string(closeside::close_report{}));
}
