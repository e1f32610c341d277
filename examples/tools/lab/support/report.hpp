// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_REPORT_HPP
#define CLOSESIDE_LAB_SUPPORT_REPORT_HPP

#include "svg.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace lab {

struct column {
    std::string key;     ///< of the member in JSON: "median_ms"
    std::string heading; ///< of the column on paper: "median, ms"
    int digits = 0;      ///< after the point, of a number that is not whole
};

/// Rows of values, printed as a table and written as JSON objects; null is printed as "-".
struct table {
    std::string key;   ///< its name in JSON
    std::string title; ///< above it; a line or two
    std::vector<column> columns;
    std::vector<std::vector<nlohmann::json>> rows; ///< one value a column: string, number, bool or null
};

/// What the lab says about the world, and whether this run bore it out.
struct claim {
    std::string text; ///< a sentence
    bool holds = false;
    std::string numbers; ///< what was measured, that it rests on
};

/// What one lab found. Printing, JSON and the exit status follow from it.
struct report {
    std::vector<std::string> setting; ///< a few lines: what was built, how much was run
    std::vector<table> tables;
    std::vector<claim> claims;
    std::vector<std::string> notes; ///< what could not be looked at, and why
    svg::panel picture;
    std::string picture_title;       ///< <title>
    std::string picture_description; ///< <desc>: what somebody who cannot see it needs to know

    void check(bool holds, std::string text, std::string numbers) {
        claims.push_back({std::move(text), holds, std::move(numbers)});
    }
    bool good() const;
};

/// Thrown by a lab that cannot be run here and is to be skipped (77), saying why. Any other exception: 70.
struct skipped : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Where and how the labs are run.
struct surroundings {
    std::string network; ///< observation::to_string(network)
    std::string kernel;  ///< uname -r
    std::string date;    ///< 2026-01-31
    bool quick = false;
};

/// For people: the setting, the tables, every claim with its numbers.
std::string as_text(const std::string& lab, const report& found, const surroundings& where, bool colour);

/// The same as a page of Markdown.
std::string as_markdown(const std::string& lab, const report& found, const surroundings& where);

/// {"lab","kernel","date","network","quick","setting":[],"tables":{"key":[{...}]},"claims":[{"text","holds","numbers"}],"notes":[],"ok"}
nlohmann::json as_json(const std::string& lab, const report& found, const surroundings& where);

} // namespace lab

#endif
