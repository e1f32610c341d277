// SPDX-License-Identifier: BSL-1.0
#include "fail_on.hpp"

#include "output.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace check {

namespace {

using closeside::host::severity;

constexpr std::array severities{severity::note, severity::warning, severity::critical};

} // namespace

void add_fail_on_option(CLI::App& app, fail_on& least) {
    app.add_option_function<std::string>(
           "--fail-on",
           [&least](const std::string& name) {
               const auto chosen =
                   std::ranges::find(severities, name, [](severity s) { return std::string(to_string(s)); });
               if (chosen == severities.end())
                   refuse("--fail-on", name, "is no severity; give note, warning or critical");
               least = *chosen;
           },
           "The exit status is 0 for what is milder: note, warning (default) or critical")
        ->type_name("SEVERITY");
}

int status_of(std::optional<severity> worst, fail_on least) noexcept {
    if (!worst || *worst < least.value_or(severity::warning)) return 0;
    return std::max(static_cast<int>(*worst), 1);
}

} // namespace check
