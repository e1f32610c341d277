// SPDX-License-Identifier: BSL-1.0
#include "lint.hpp"

#include "sarif.hpp"

#include <closeside/host/audit.hpp>
#include <closeside/host/detail/kernel_defaults.hpp>
#include <closeside/host/detail/sysctl_d/kernel_value.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;
namespace sysctl_d = host::detail::sysctl_d;
using kind = host::config_problem_kind;

/// The line that a key has its value from.
std::optional<place> place_of(const host::config_view& view, std::string_view key) {
    const host::config_key* const k = view.find(key);
    if (!k || !k->procps.winner) return std::nullopt;
    return place{k->procps.winner->file, k->procps.winner->line};
}

/// A fix for a host says what to run there; here a line is to be changed.
void write_fix_for_files(host::finding& f, const host::config_view& view) {
    std::string lines;
    for (const host::finding::setting& s : f.settings) {
        const auto where = place_of(view, s.key);
        lines += (lines.empty() ? "" : "; ") +
                 (where ? "In " + where->file + ":" + std::to_string(where->line) + " write " : "Add a line ") + "`" +
                 s.key + " = " + s.value + "`";
    }
    if (!lines.empty()) f.fix = std::move(lines);
    for (host::finding::observation& o : f.observed)
        if (const auto where = place_of(view, o.key))
            o.where = where->file + ":" + std::to_string(where->line);
        else
            o.where = "the kernel's default";
}

/// What is said of the files: findings that the kernel has by itself, whatever they set, are none of theirs.
std::vector<placed_finding> findings_of(const lint_report& r, std::chrono::sys_days today) {
    const host::snapshot untouched = sysctl_d::after_texts(sysctl_d::read_texts({}, r.kernel), r.kernel);
    const host::program program = program_of(r.asked.judged);
    const auto before = host::audit(untouched, program);
    std::vector<placed_finding> all;
    for (host::finding& f : host::audit(r.seen, program)) {
        const bool by_itself = std::ranges::any_of(
            before, [&](const host::finding& b) { return b.code == f.code && b.message == f.message; });
        if (by_itself) continue;
        placed_finding placed;
        for (const std::string& key : f.keys)
            if (auto where = place_of(r.view, key)) placed.places.push_back(*std::move(where));
        write_fix_for_files(f, r.view);
        placed.what.finding = std::move(f);
        const auto* const s = host::detail::find_suppression(r.asked.judged.suppressions, placed.what.finding.code);
        if (s) {
            placed.what.suppression = *s;
            placed.what.suppressed = !s->has_expired(today);
        }
        all.push_back(std::move(placed));
    }
    return all;
}

std::vector<placed_problem> problems_of(const lint_report& r, std::chrono::sys_days today) {
    std::vector<placed_problem> all;
    for (const host::config_problem& p : r.view.problems) {
        placed_problem placed{p, code_of(p.kind), false};
        const auto* const s = host::detail::find_suppression(r.asked.judged.suppressions, placed.code);
        placed.suppressed = s && !s->has_expired(today);
        all.push_back(std::move(placed));
    }
    return all;
}

std::string with_blanks(std::string_view value) {
    return value.empty() ? "nothing" : host::detail::to_be_written(value);
}

std::string release_in_words(const std::string& kernel) { return "Linux " + kernel; }

void judge_winner(lint_line& line, const host::detail::key_history& history, const std::string& kernel) {
    line.changes = *line.by_default != line.shown;
    const std::string by_default = with_blanks(*line.by_default);
    if (!line.changes)
        line.verdict = history.by_machine ? "Sets " + by_default + ", which the kernel computes for a machine of 24 GiB"
                                          : "Sets " + by_default + ", the default of " + release_in_words(kernel) +
                                                ": the line changes nothing, unless another one or a program does";
    else
        line.verdict = "Sets " + with_blanks(line.shown) +
                       (history.by_machine ? "; the kernel computes a default from the machine's memory"
                                           : "; the default of " + release_in_words(kernel) + " is " + by_default);
}

/// The lines that name a key which the host check knows; those that only a pattern leads to tell nothing of a key.
std::vector<lint_line> lines_of(const lint_report& r) {
    const auto kernel = host::detail::parse_kernel_version(r.kernel).value_or(host::detail::oldest_known);
    std::vector<lint_line> all;
    for (const host::config_key& k : r.view.keys) {
        const auto id = host::find_key(k.name);
        const auto* const history = id ? host::detail::history_of(*id) : nullptr;
        if (!history) continue;
        const auto add = [&](const host::config_key::setting& s) -> lint_line& {
            lint_line line{{s.file, s.line}, *id, s.value, {}, {}, false, {}};
            if (host::detail::has_key(*history, kernel))
                line.by_default = std::string(host::detail::default_of(*history, kernel));
            all.push_back(std::move(line));
            return all.back();
        };
        for (const host::config_key::loser& l : k.procps.losers)
            if (l.why == host::config_key::loss::overridden)
                add(l.setting).verdict = "Does not decide: " + l.by + " sets the key after it";
            else if (l.why == host::config_key::loss::refused)
                add(l.setting).verdict = "Sets nothing: the kernel refuses the value";
            else
                add(l.setting).verdict = "Does not decide: " + l.by;
        if (!k.procps.winner) continue;
        lint_line& line = add(*k.procps.winner);
        if (!line.by_default) {
            line.verdict = "Sets nothing: " + release_in_words(r.kernel) + " has no such key";
            continue;
        }
        line.shown = k.procps.shown;
        judge_winner(line, *history, r.kernel);
    }
    std::map<std::string, std::size_t> order;
    for (const std::string& file : r.view.files) order.emplace(file, order.size());
    std::ranges::stable_sort(all, {}, [&](const lint_line& l) { return std::pair(order[l.where.file], l.where.line); });
    return all;
}

} // namespace

std::string fix_of(kind k) {
    switch (k) {
    case kind::removed_key: return "Delete the line: `sysctl -p` ends with an error at it, at which scripts may stop";
    case kind::renamed_key: return "Write the key's name of today into the line, or delete it";
    case kind::future_key: return "Delete the line, or keep it for hosts with a later kernel in a file of theirs";
    case kind::unknown_key:
    case kind::malformed_key:
    case kind::no_setting: return "Correct the name of the key, and write `key = value`; or delete the line";
    case kind::refused_value:
        return "Correct the value: numbers without quotes or signs around them, a port range with a blank between its "
               "ends, reserved ports with commas and without blanks";
    case kind::before_module: return "Put the module into a file below /etc/modules-load.d/, which is read before";
    case kind::loaders_disagree:
        return "Leave one line for the key, with its full name and a value that the kernel takes";
    default: return {};
    }
}

lint_report lint(lint_options asked, const std::vector<sysctl_d::settings_text>& texts, const std::string& kernel) {
    lint_report r{std::move(asked), kernel, sysctl_d::read_texts(texts, kernel), {}, {}, {}, {}};
    r.seen = sysctl_d::after_texts(r.view, kernel);
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    r.findings = findings_of(r, today);
    r.problems = problems_of(r, today);
    r.lines = lines_of(r);
    return r;
}

} // namespace check
