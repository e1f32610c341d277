// SPDX-License-Identifier: BSL-1.0
#include <closeside/error.hpp>
#include <closeside/policy.hpp>
#include <closeside/report.hpp>

#include <string>
#include <system_error>

namespace odr_b {

const std::error_category* category() { return &closeside::error_category(); }

const closeside::close_policy* graceful() { return &closeside::policies::graceful; }

std::string text() { return to_string(closeside::policies::graceful) + to_string(closeside::close_report{}); }

} // namespace odr_b
