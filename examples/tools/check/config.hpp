// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_CONFIG_HPP
#define CLOSESIDE_CHECK_CONFIG_HPP

#include "output.hpp"

#include <closeside/host/config.hpp>

#include <iosfwd>

namespace check {

/// For people: the problems, then one line for each key that a file sets; with `verbose` also the lines that lost, the
/// files, and the keys that no file sets.
void print_config_text(std::ostream& out, const closeside::host::config_view& view, bool verbose, const terminal& on);

/// For programs.
void print_config_json(std::ostream& out, const closeside::host::config_view& view);

/// For code hosts: the problems, each at its line.
void print_config_sarif(std::ostream& out, const closeside::host::config_view& view);

} // namespace check

#endif
