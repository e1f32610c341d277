// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_SAVED_HPP
#define CLOSESIDE_CHECK_SAVED_HPP

#include "report.hpp"

#include <closeside/host/finding.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace check {

/// A finding as far as two looks are compared by it.
struct saved_finding {
    std::string code;
    /// "now" or "next boot"; empty where a save does not tell.
    std::string when;
    closeside::host::severity severity = closeside::host::severity::note;
    std::string message;
    std::string occurrence;
    /// The values that it rests on.
    std::map<std::string, std::string> observed;
    bool suppressed = false;

    friend bool operator==(const saved_finding&, const saved_finding&) = default;
};

/// A key's value, or in brackets why there is none.
using saved_values = std::map<std::string, std::string>;

/// What --save has kept of a look.
struct saved_look {
    std::string host, kernel, taken, exposure, version;
    std::vector<std::string> assumed;
    std::vector<saved_finding> findings;
    saved_values values;
};

/// What --save writes.
std::string saved_text(const report& r);

/// The same of a look that was not saved.
saved_look as_saved(const report& r);

/// Reads what --save has written, by this release or another.
/** @param problem why there is nothing: which file, and what is wrong with it. */
std::optional<saved_look> read_saved(const std::string& file, std::string& problem);

} // namespace check

#endif
