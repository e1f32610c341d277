// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_JSON_REPORT_HPP
#define CLOSESIDE_LAB_POLICY_JSON_REPORT_HPP

#include "result.hpp"

#include <string>

namespace lab::policy {

/// The shape of the JSON, for --help.
extern const char* const json_shape;

std::string to_json(const lab_result& result);

} // namespace lab::policy

#endif
