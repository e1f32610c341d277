// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_NOTE_HPP
#define CLOSESIDE_CHECK_NOTE_HPP

#include "output.hpp"

#include <string>

namespace check {

/// What standard error is, where notes go.
terminal look_at_terminal_of_notes();

/// Says on standard error, beside what the command prints: `closeside-check: <what>`, in lines as wide as the terminal, or
/// on one where nobody reads along.
void say_note(const std::string& what);

} // namespace check

#endif
