// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/rule_table.hpp>

#include <doctest/doctest.h>

namespace host = closeside::host;

TEST_CASE("every rule has a code and a title, and is found by its code") {
    for (const host::rule& r : host::rule_table) {
        CHECK(r.code.size() == 5);
        CHECK(r.code.starts_with("CS"));
        CHECK_FALSE(r.title.empty());
        CHECK(host::find_rule(r.code) == &r);
    }
    CHECK(host::find_rule("CS999") == nullptr);
    CHECK(host::find_rule("") == nullptr);
}
