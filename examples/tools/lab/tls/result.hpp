// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_RESULT_HPP
#define CLOSESIDE_LAB_TLS_RESULT_HPP

#include "cell.hpp"

#include "../support/report.hpp"

#include <string>
#include <vector>

namespace lab::tls {

using results = std::vector<result>;

/// "server", "client", "both", "nobody"
const char* time_wait_of(const result& r) noexcept;

bool is_whole(const result& r) noexcept;

double seconds(const result& r) noexcept;

/// The error of the close: "success", the name of a closeside::error, or the message of another.
std::string told_error(const result& r);

/// What the report says and the wire does not, as a sentence; empty if they agree or there is no report.
std::string contradiction_of(const result& r);

/// Every cell with TLS.
table table_of(const results& all);

void check_claims(report& r, const results& all);

/// The cells of one version: servers down, peers across.
void draw_picture(report& r, const results& all, protocol shown);

} // namespace lab::tls

#endif
