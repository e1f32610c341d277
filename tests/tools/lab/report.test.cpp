// SPDX-License-Identifier: BSL-1.0
#include "lab/support/report.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

lab::report a_report() {
    lab::report found;
    found.setting = {"Two hosts, tcp_rfc1337 = 1."};
    found.tables.push_back({.key = "ends",
                            .title = "How it ended.",
                            .columns = {{"how", "how"}, {"rate", "rate, 1/s", 1}},
                            .rows = {{"RST | FIN", 2.25}, {"none", nullptr}}});
    found.check(false, "Nobody is locked out.", "3 of 40");
    found.notes = {"no capture"};
    return found;
}

} // namespace

TEST_CASE("report: a page of Markdown has what the text has, and takes nothing in it for markup") {
    const lab::surroundings where{.network = "", .kernel = "6.18.44", .date = "2026-01-31", .quick = false};
    CHECK(lab::as_markdown("nat", a_report(), where) == R"(# What `closeside-lab nat` measured

Linux 6.18.44, 2026-01-31.

Two hosts, tcp\_rfc1337 = 1.

How it ended.

| how | rate, 1/s |
|---|---:|
| RST \| FIN | 2.2 |
| none | - |

| claim | | measured |
|---|---|---|
| Nobody is locked out. | BROKEN | 3 of 40 |

Note: no capture
)");
}

TEST_CASE("report: a page of a quick run says so") {
    const lab::surroundings where{.network = "", .kernel = "6.18.44", .date = "2026-01-31", .quick = true};
    CHECK(lab::as_markdown("nat", {}, where).find("2026-01-31, the quick form.") != std::string::npos);
}
