// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUITE_REPORT_HPP
#define CLOSESIDE_BENCHMARK_SUITE_REPORT_HPP

#include "machine.hpp"

#include <nlohmann/json.hpp>

#include <iosfwd>

namespace benchmark_suite {

/// `{"machine": {…}, "benchmarks": […]}`, where each benchmark is the object that its own program prints.
nlohmann::ordered_json as_json(const machine& m, nlohmann::ordered_json benchmarks);

/// The same as tables in Markdown, one a benchmark.
void print_markdown(std::ostream& out, const nlohmann::ordered_json& all);

} // namespace benchmark_suite

#endif
