// SPDX-License-Identifier: BSL-1.0
#include "support/run_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

TEST_CASE("host_check_json prints its findings, each with its code and what to do") {
    const auto checked = tests::run_program({CLOSESIDE_HOST_CHECK_JSON});
    CHECK(checked.status == 0);
    const auto read = nlohmann::json::parse(checked.out);
    REQUIRE(read.at("findings").is_array());
    for (const auto& finding : read.at("findings")) {
        CHECK(finding.at("code").get<std::string>().starts_with("CS"));
        CHECK_FALSE(finding.at("fix").get<std::string>().empty());
    }
}
