// SPDX-License-Identifier: BSL-1.0
// With odr_b.test.cpp: everything that the headers define may be in two translation units of one program.
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#include <doctest/doctest.h>

#include <asio/io_context.hpp>

#include <string>
#include <system_error>

namespace odr_b {
const std::error_category* category();
const closeside::close_policy* graceful();
std::string text();
bool closed_stream_is_open(asio::io_context& io);
} // namespace odr_b

TEST_CASE("two translation units share one error category, one preset and one stream type") {
    CHECK(odr_b::category() == &closeside::error_category());
    CHECK(odr_b::graceful() == &closeside::policies::graceful);
    CHECK(odr_b::text() == to_string(closeside::policies::graceful) + to_string(closeside::close_report{}));

    asio::io_context io;
    CHECK(odr_b::closed_stream_is_open(io) == closeside::stream<closeside::policies::graceful>(io).is_open());
}
