// SPDX-License-Identifier: BSL-1.0
#include "config.hpp"
#include "sarif.hpp"

#include <closeside/detail/kernel/printable_text.hpp>

#include <nlohmann/json.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace check {

namespace {

namespace host = closeside::host;
using closeside::detail::printable;
using json = nlohmann::ordered_json;

std::string place(const host::config_key::setting& s) { return printable(s.file) + ":" + std::to_string(s.line); }

std::string shown(const std::string& value) { return value.empty() ? "(nothing)" : closeside::detail::readable(value); }

std::string in_words(const host::config_key::outcome& o) {
    if (!o.winner) return "-";
    std::string text = shown(o.shown);
    if (shown(o.winner->value) != text) text += " (written " + shown(o.winner->value) + ")";
    text += " by " + place(*o.winner);
    if (!o.winner->pattern.empty()) text += " (pattern " + printable(o.winner->pattern) + ")";
    return text;
}

const char* at_boot(host::sysctl_loader loader) {
    switch (loader) {
    case host::sysctl_loader::systemd: return "systemd-sysctl";
    case host::sysctl_loader::busybox: return "OpenRC with BusyBox' sysctl -p";
    default: return "procps' sysctl --system";
    }
}

std::string live(const host::config_key& k) {
    return k.status == host::key_status::present ? shown(k.live) : "(" + std::string(to_string(k.status)) + ")";
}

bool is_set(const host::config_key& k) {
    return k.systemd.winner || k.procps.winner || k.busybox.winner || !k.systemd.losers.empty() ||
           !k.procps.losers.empty() || !k.busybox.losers.empty();
}

std::string_view colour_of(host::severity s) {
    switch (s) {
    case host::severity::note: return "\x1b[36m";
    case host::severity::warning: return "\x1b[33m";
    case host::severity::critical: return "\x1b[1;31m";
    }
    return "";
}

void print_problem(std::ostream& out, const host::config_problem& p, const terminal& on) {
    if (on.colour) out << colour_of(p.severity);
    out << to_string(p.severity);
    if (on.colour) out << "\x1b[0m";
    out << " " << to_string(p.kind) << ": " << printable(p.file);
    if (p.line != 0) out << ":" << p.line;
    if (!p.key.empty()) out << ": " << printable(p.key);
    out << ": " << printable(p.text) << "\n";
}

void print_losers(std::ostream& out, const char* loader, const host::config_key::outcome& o) {
    for (const host::config_key::loser& l : o.losers)
        out << "    " << loader << ": not " << shown(l.setting.value) << " by " << place(l.setting) << ": "
            << to_string(l.why) << ", " << printable(l.by) << "\n";
}

json to_json(const host::config_key::outcome& o) {
    if (!o.winner) return nullptr;
    json setting{{"value", o.winner->value}, {"file", o.winner->file}, {"line", o.winner->line}, {"shown", o.shown}};
    if (!o.winner->pattern.empty()) setting["pattern"] = o.winner->pattern;
    return setting;
}

json losers_to_json(const host::config_key::outcome& o) {
    json losers = json::array();
    for (const host::config_key::loser& l : o.losers)
        losers.push_back({{"value", l.setting.value},
                          {"file", l.setting.file},
                          {"line", l.setting.line},
                          {"why", to_string(l.why)},
                          {"by", l.by}});
    return losers;
}

} // namespace

void print_config_text(std::ostream& out, const host::config_view& view, bool verbose, const terminal& on) {
    out << "What the sysctl files below " << printable(view.root) << " set; at boot by " << at_boot(view.loader) << " ("
        << view.loader_reason << ")" << (view.procps.empty() ? "" : "; procps is " + view.procps) << "\n\n";
    for (const host::config_problem& p : view.problems) print_problem(out, p, on);
    if (!view.problems.empty()) out << "\n";

    std::size_t set = 0;
    for (const host::config_key& k : view.keys) {
        if (!is_set(k) && !verbose) continue;
        if (is_set(k)) ++set;
        out << printable(k.name) << ": now " << live(k) << "; systemd-sysctl " << in_words(k.systemd)
            << "; sysctl --system " << in_words(k.procps);
        if (view.loader == host::sysctl_loader::busybox) out << "; BusyBox " << in_words(k.busybox);
        if (k.tuned) out << "; then tuned " << shown(k.tuned->value) << " by " << place(*k.tuned);
        out << (k.drift ? "; DRIFT" : "") << "\n";
        if (!verbose) continue;
        print_losers(out, "systemd-sysctl", k.systemd);
        print_losers(out, "sysctl --system", k.procps);
        print_losers(out, "BusyBox", k.busybox);
    }
    if (verbose) {
        out << "\nFiles, in the order of "
            << (view.loader == host::sysctl_loader::busybox ? "the start script" : "sysctl --system") << ":\n";
        for (const std::string& file : view.files) out << "    " << printable(file) << "\n";
    }
    out << (set == 0 ? "No file sets a key below net.\n" : "") << view.problems.size()
        << (view.problems.size() == 1 ? " problem\n" : " problems\n");
}

void print_config_json(std::ostream& out, const host::config_view& view) {
    json keys = json::object();
    for (const host::config_key& k : view.keys)
        keys[k.name] = {
            {"live", k.status == host::key_status::present ? json(k.live) : json(nullptr)},
            {"status", to_string(k.status)},
            {"systemd", to_json(k.systemd)},
            {"procps", to_json(k.procps)},
            {"busybox", to_json(k.busybox)},
            {"tuned", k.tuned ? json{{"value", k.tuned->value}, {"file", k.tuned->file}, {"line", k.tuned->line}}
                              : json(nullptr)},
            {"drift", k.drift},
            {"losers", {{"systemd", losers_to_json(k.systemd)}, {"procps", losers_to_json(k.procps)}}}};
    json problems = json::array();
    for (const host::config_problem& p : view.problems)
        problems.push_back({{"kind", to_string(p.kind)},
                            {"severity", to_string(p.severity)},
                            {"key", p.key.empty() ? json(nullptr) : json(p.key)},
                            {"file", p.file},
                            {"line", p.line == 0 ? json(nullptr) : json(p.line)},
                            {"text", p.text}});
    const json document{{"keys", std::move(keys)},
                        {"problems", std::move(problems)},
                        {"loader", to_string(view.loader)},
                        {"loader_reason", view.loader_reason},
                        {"loader_is_certain", view.loader_is_certain},
                        {"procps", view.procps.empty() ? json(nullptr) : json(view.procps)},
                        {"files", view.files},
                        {"root", view.root}};
    // A path or a value may be no UTF-8.
    out << document.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
}

void print_config_sarif(std::ostream& out, const host::config_view& view) {
    std::vector<sarif_result> results;
    for (const host::config_problem& p : view.problems)
        results.push_back(
            {code_of(p.kind), p.severity, (p.key.empty() ? "" : p.key + ": ") + p.text, {{p.file, p.line}}, false});
    print_sarif(out, results, view.root);
}

} // namespace check
