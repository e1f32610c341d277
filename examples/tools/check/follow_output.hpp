// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_OUTPUT_HPP
#define CLOSESIDE_CHECK_FOLLOW_OUTPUT_HPP

#include "follow_tally.hpp"
#include "follow_watch.hpp"
#include "output.hpp"

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace check::follow {

/// RFC 3339, in UTC, with nanoseconds.
std::string rfc3339(std::int64_t nanoseconds_since_1970);

/// A line for people.
void print_text(std::ostream& out, const ending& e, const terminal& on);

/// A line for programs.
void print_json(std::ostream& out, const ending& e);

/// What a look at endings came to.
struct summary {
    tally counts{};
    losses lost{};
    bool traced = true;
    std::chrono::duration<double> elapsed{0};
};
void print_summary(std::ostream& out, const summary& s, const terminal& on);

/// What is missing, a line for each: nothing if all has been seen.
void print_losses(std::ostream& out, const summary& s, const terminal& on);

void print_prometheus(std::ostream& out, const summary& s);

/// The rows of `top`: by why and service, what there is most of first. `before`: an earlier count, for what is new since.
void print_top(std::ostream& out, const summary& s, const tally& before, std::chrono::duration<double> since,
               const terminal& on, std::size_t rows);

} // namespace check::follow

#endif
