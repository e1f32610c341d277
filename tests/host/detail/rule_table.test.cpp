// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/rule_table.hpp>

#include <doctest/doctest.h>

namespace host = closeside::host;

TEST_CASE("every rule has a code and a title, and is found by its code") {
    for (const host::detail::rule& r : host::detail::rule_table) {
        CHECK(r.code.size() == 5);
        CHECK(r.code.starts_with("CS"));
        CHECK_FALSE(r.title.empty());
        CHECK(host::detail::find_rule(r.code) == &r);
    }
    CHECK(host::detail::find_rule("CS999") == nullptr);
    CHECK(host::detail::find_rule("") == nullptr);
}
