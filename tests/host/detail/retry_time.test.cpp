// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/retry_time.hpp>

#include <doctest/doctest.h>

namespace host = closeside::host;

TEST_CASE("a number of retries is a time: waits that double from 200 ms to 120 s, and one more") {
    // ip-sysctl.rst: 15 retries are 924.6 s, 8 exceed the 100 s of RFC 1122.
    CHECK(host::detail::retry_time_ms(15) == 924'600);
    CHECK(host::detail::retry_time_ms(8) == 102'200);
    CHECK(host::detail::retry_time_ms(7) == 51'000);
    CHECK(host::detail::retry_time_ms(0) == 200);
    CHECK(host::detail::retry_time_ms(-1) == 200);
    CHECK(host::detail::retry_time_ms(1000) == host::detail::retry_time_ms(255));
}

TEST_CASE("a lower limit of the wait makes the retries end sooner") {
    CHECK(host::detail::retry_time_ms(15, host::detail::shortest_rto_ms, 1000) == 14'400);
    CHECK(host::detail::retry_time_ms(2, host::detail::shortest_rto_ms, 100) == 300);
}

TEST_CASE("a SYN begins at 1 s, so that its six retries take 127 s") {
    CHECK(host::detail::retry_time_ms(6, host::detail::first_syn_rto_ms) == 127'000);
    CHECK(host::detail::retry_time_ms(8, host::detail::first_syn_rto_ms) == 367'000);
}
