// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FAIL_ON_HPP
#define CLOSESIDE_CHECK_FAIL_ON_HPP

#include <closeside/host/finding.hpp>

#include <optional>

namespace CLI {
class App;
}

namespace check {

/// From which severity on a finding shows in the exit status.
using fail_on = std::optional<closeside::host::severity>;

/// Adds --fail-on; `least` must outlive the parsing.
void add_fail_on_option(CLI::App& app, fail_on& least);

/// The exit status for the worst finding that counts: 1 for a warning, 2 for something critical. Below `least` it is 0,
/// and a note counts, as 1, only if that asks for notes.
int status_of(std::optional<closeside::host::severity> worst, fail_on least) noexcept;

} // namespace check

#endif
