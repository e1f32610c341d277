// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_DOCUMENT_HPP
#define CLOSESIDE_CHECK_DOCUMENT_HPP

#include "report.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>

namespace check {

/// Of the report, what --format json prints and --save keeps.
nlohmann::ordered_json document_of(const report& r);
nlohmann::ordered_json document_of(const judged& j);

/// As text. What is no UTF-8, as a path below --root may be, is replaced.
std::string text_of(const nlohmann::ordered_json& document);

/// `2026-11-27T20:31:42Z`
std::string utc(std::chrono::system_clock::time_point t);

} // namespace check

#endif
