// SPDX-License-Identifier: BSL-1.0
#include "saved.hpp"

#include "document.hpp"
#include "read_file.hpp"

#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;
/// Sorted: a look-up in the other kind takes as long as the object has members.
using json = nlohmann::json;

/// Of what --save writes; a program that reads it refuses a later one.
constexpr int save_format = 1;

/// A hundred times what a look takes.
constexpr std::size_t largest = 8u << 20;

/// Throws std::runtime_error, which names what is missing or of another type.
const json& member(const json& of, const char* name, json::value_t type) {
    const auto found = of.find(name);
    if (found == of.end()) throw std::runtime_error("it has no \"" + std::string(name) + "\"");
    if (found->type() != type) throw std::runtime_error("its \"" + std::string(name) + "\" is of another type");
    return *found;
}

std::string text(const json& of, const char* name) {
    return member(of, name, json::value_t::string).get<std::string>();
}

/// Empty for null, and for what an older release did not save.
std::string text_if_any(const json& of, const char* name) {
    const auto found = of.find(name);
    return found == of.end() || found->is_null() ? "" : text(of, name);
}

host::severity severity_of(const std::string& name) {
    for (const auto s : {host::severity::note, host::severity::warning, host::severity::critical})
        if (name == to_string(s)) return s;
    throw std::runtime_error("'" + name + "' in it is no severity");
}

saved_finding finding_of(const json& f) {
    if (!f.is_object()) throw std::runtime_error("a finding in it is no object");
    saved_finding finding{.code = text(f, "code"),
                          .when = text_if_any(f, "when"),
                          .severity = severity_of(text(f, "severity")),
                          .message = text(f, "message"),
                          .occurrence = text(f, "occurrence"),
                          .observed = {},
                          .suppressed = member(f, "suppressed", json::value_t::boolean).get<bool>()};
    for (const auto& [key, value] : member(f, "observed", json::value_t::object).items()) {
        if (!value.is_string()) throw std::runtime_error("an observed value in it is no text");
        finding.observed[key] = value.get<std::string>();
    }
    return finding;
}

std::string value_of(const json& v) {
    if (!v.is_object()) throw std::runtime_error("a value in it is no object");
    const std::string status = text(v, "status");
    return status == to_string(host::key_status::present) ? text(v, "value") : "(" + status + ")";
}

saved_look look_of(const json& document) {
    saved_look look{.host = text_if_any(document, "host"),
                    .kernel = text_if_any(document, "kernel"),
                    .taken = text_if_any(document, "taken"),
                    .exposure = text_if_any(document, "exposure"),
                    .version = text_if_any(document, "version"),
                    .assumed = {},
                    .findings = {},
                    .values = {}};
    for (const json& name : member(document, "assumed", json::value_t::array)) {
        if (!name.is_string()) throw std::runtime_error("an assumption in it is no text");
        look.assumed.push_back(name.get<std::string>());
    }
    for (const json& f : member(document, "findings", json::value_t::array)) look.findings.push_back(finding_of(f));
    for (const auto& [key, value] : member(document, "values", json::value_t::object).items())
        look.values[key] = value_of(value);
    return look;
}

nlohmann::ordered_json saved_document(const report& r) {
    nlohmann::ordered_json document{
        {"closeside_check_save", save_format}, {"taken", utc(r.taken)}, {"host", host_name(r.seen)}};
    document.update(document_of(r));
    return document;
}

} // namespace

std::string saved_text(const report& r) { return text_of(saved_document(r)); }

saved_look as_saved(const report& r) {
    // Through text, as what is read from a file: bytes that are no UTF-8 are then the same on both sides.
    return look_of(json::parse(saved_text(r)));
}

std::optional<saved_look> read_saved(const std::string& file, std::string& problem) {
    try {
        const json document = json::parse(read_file(file, largest), nullptr, false);
        if (document.is_discarded()) throw std::runtime_error("it is no JSON, or its end is missing");
        const auto format = document.is_object() ? document.find("closeside_check_save") : document.end();
        if (format == document.end()) throw std::runtime_error("it was not written by --save");
        if (!format->is_number_integer() || *format != save_format)
            throw std::runtime_error("it is a save of another format than " + std::to_string(save_format) +
                                     "; compare with the closeside-check that wrote it, or save anew");
        return look_of(document);
    } catch (const std::exception& e) {
        problem = "cannot compare with '" + file + "': " + e.what();
        return std::nullopt;
    }
}

} // namespace check
