// SPDX-License-Identifier: BSL-1.0
#ifndef POLICY_LAB_JSON_REPORT_HPP
#define POLICY_LAB_JSON_REPORT_HPP

#include "lab.hpp"

#include <string>

namespace policy_lab {

/// The shape of the JSON, for --help.
extern const char* const json_shape;

std::string to_json(const lab_result& result);

} // namespace policy_lab

#endif
