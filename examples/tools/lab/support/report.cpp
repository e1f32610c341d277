// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <utility>

namespace lab {

namespace {

using nlohmann::json;

/// Columns, not bytes: headings and cells may hold characters of more than one byte.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string cell_text(const json& value, const column& c) {
    if (value.is_null()) return "-";
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    if (!value.is_number_float()) return value.dump();
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", c.digits, value.get<double>());
    return text;
}

void append_padded(std::string& line, const std::string& text, std::size_t width, bool to_the_right) {
    const std::string gap(width - std::min(width, width_of(text)), ' ');
    if (!line.empty()) line += "  ";
    line += to_the_right ? gap + text : text + gap;
}

/// The headings, then a line of texts for each row.
std::vector<std::vector<std::string>> cells_of(const table& t) {
    std::vector<std::vector<std::string>> cells(1);
    for (const column& c : t.columns) cells[0].push_back(c.heading);
    for (const auto& row : t.rows) {
        std::vector<std::string>& line = cells.emplace_back();
        for (std::size_t i = 0; i < t.columns.size(); ++i) line.push_back(cell_text(row.at(i), t.columns[i]));
    }
    return cells;
}

/// Which columns have only numbers, and stand to the right.
std::vector<bool> numeric_columns(const table& t) {
    std::vector<bool> numeric(t.columns.size(), true);
    for (std::size_t i = 0; i < t.columns.size(); ++i)
        for (const auto& row : t.rows) numeric[i] = numeric[i] && (row[i].is_number() || row[i].is_null());
    return numeric;
}

std::string table_text(const table& t) {
    const std::vector<std::vector<std::string>> cells = cells_of(t);
    const std::vector<bool> numeric = numeric_columns(t);
    std::vector<std::size_t> widths(t.columns.size());
    for (std::size_t i = 0; i < t.columns.size(); ++i)
        for (const auto& line : cells) widths[i] = std::max(widths[i], width_of(line[i]));
    std::string text = t.title + '\n';
    for (const auto& line : cells) {
        std::string padded;
        for (std::size_t i = 0; i < line.size(); ++i) append_padded(padded, line[i], widths[i], numeric[i]);
        text += padded.substr(0, padded.find_last_not_of(' ') + 1) + '\n';
    }
    return text;
}

/// Text in which nothing is taken for markup.
std::string literal(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if (std::strchr("\\`*_{}[]<>|#", c)) escaped += '\\';
        escaped += c == '\n' ? ' ' : c;
    }
    return escaped;
}

std::string table_markdown(const table& t) {
    std::string text = literal(t.title) + "\n\n";
    const std::vector<bool> numeric = numeric_columns(t);
    bool headings = true;
    for (const auto& line : cells_of(t)) {
        for (const std::string& cell : line) text += "| " + literal(cell) + ' ';
        text += "|\n";
        if (!std::exchange(headings, false)) continue;
        for (const bool to_the_right : numeric) text += to_the_right ? "|---:" : "|---";
        text += "|\n";
    }
    return text;
}

json rows_of(const table& t) {
    json rows = json::array();
    for (const auto& row : t.rows) {
        json& object = rows.emplace_back(json::object());
        for (std::size_t i = 0; i < t.columns.size(); ++i) object[t.columns[i].key] = row.at(i);
    }
    return rows;
}

} // namespace

bool report::good() const {
    return std::all_of(claims.begin(), claims.end(), [](const claim& c) { return c.holds; });
}

std::string as_text(const std::string& lab, const report& found, const surroundings& where, bool colour) {
    const auto painted = [&](const char* code, const std::string& text) {
        return colour ? "\x1b[" + std::string(code) + 'm' + text + "\x1b[0m" : text;
    };
    std::string text = painted("1", "closeside-lab " + lab) + "  (Linux " + where.kernel + ", " + where.date +
                       (where.quick ? ", the quick form)\n" : ")\n");
    for (const std::string& line : found.setting) text += line + '\n';
    for (const table& t : found.tables) text += '\n' + table_text(t);
    text += '\n';
    for (const claim& c : found.claims)
        text += (c.holds ? painted("32", "holds   ") : painted("1;31", "BROKEN  ")) + c.text + "\n        " +
                c.numbers + '\n';
    for (const std::string& note : found.notes) text += painted("33", "note    ") + note + '\n';
    return text;
}

std::string as_markdown(const std::string& lab, const report& found, const surroundings& where) {
    std::string text = "# What `closeside-lab " + lab + "` measured\n\nLinux " + literal(where.kernel) + ", " +
                       where.date + (where.quick ? ", the quick form.\n\n" : ".\n\n");
    for (const std::string& line : found.setting) text += literal(line) + '\n';
    for (const table& t : found.tables) text += '\n' + table_markdown(t);
    text += "\n| claim | | measured |\n|---|---|---|\n";
    for (const claim& c : found.claims)
        text += "| " + literal(c.text) + " | " + (c.holds ? "holds" : "BROKEN") + " | " + literal(c.numbers) + " |\n";
    for (const std::string& note : found.notes) text += "\nNote: " + literal(note) + '\n';
    return text;
}

json as_json(const std::string& lab, const report& found, const surroundings& where) {
    json tables = json::object(), claims = json::array();
    for (const table& t : found.tables) tables[t.key] = rows_of(t);
    for (const claim& c : found.claims)
        claims.push_back({{"text", c.text}, {"holds", c.holds}, {"numbers", c.numbers}});
    return {{"lab", lab},
            {"kernel", where.kernel},
            {"date", where.date},
            {"network", where.network},
            {"quick", where.quick},
            {"setting", found.setting},
            {"tables", std::move(tables)},
            {"claims", std::move(claims)},
            {"notes", found.notes},
            {"ok", found.good()}};
}

} // namespace lab
