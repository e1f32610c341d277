// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_SUPPRESSION_HPP
#define CLOSESIDE_HOST_SUPPRESSION_HPP

#include <closeside/detail/separate_compilation.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host {

/// A finding that is known and accepted on this host.
struct suppression {
    /// Of a rule, as in "CS120".
    std::string code;
    /// The last day, in UTC, on which it holds; without one it holds for good.
    std::optional<std::chrono::sys_days> until{};
    std::string reason{}; ///< as the file gives it

    /// `until` is over.
    bool has_expired(std::chrono::sys_days today) const noexcept { return until && *until < today; }

    friend bool operator==(const suppression&, const suppression&) = default;
};

/// What a file of suppressions says: the lines that were understood, and what is wrong with the others.
struct suppression_list {
    std::vector<suppression> entries; ///< the lines that were understood
    /// Each a sentence that names the file, the line, the value and the cure; printable ASCII.
    std::vector<std::string> problems;
};

namespace detail {

[[gnu::cold]] CLOSESIDE_DECL std::chrono::sys_days today_in_utc() noexcept;

/// The suppression of a code that holds longest; nullptr if there is none.
[[gnu::cold]] CLOSESIDE_DECL const suppression* find_suppression(std::span<const suppression> among,
                                                                 std::string_view code) noexcept;

/// Reads `2027-03-31`; nothing for another form, or for a day that the calendar does not have.
[[gnu::cold]] CLOSESIDE_DECL std::optional<std::chrono::sys_days> parse_date(std::string_view text) noexcept;

[[gnu::cold]] CLOSESIDE_DECL std::string format_date(std::chrono::sys_days day);

/// Interprets lines of the form `CODE [until=YYYY-MM-DD] [reason]`. Empty lines, and those that begin with #, are passed
/// over. `name` is what problems call the text.
[[gnu::cold]] CLOSESIDE_DECL suppression_list parse_suppressions(std::string_view content, std::string_view name);

} // namespace detail

/// Reads the suppressions of a regular file of at most 64 KiB. Anything else is a problem, and is not waited for.
/** @throws std::bad_alloc only. */
[[gnu::cold]] CLOSESIDE_DECL suppression_list read_suppressions(const std::string& path);

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/suppression.ipp>
#endif

#endif
