// SPDX-License-Identifier: BSL-1.0
#include "audit_options.hpp"
#include "command.hpp"
#include "fill.hpp"
#include "report.hpp"

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/suggest.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace check {

namespace {

namespace host = closeside::host;

struct command {
    audit_options what;
    output to;
    /// Standing notes like others.
    bool all = false;
};

/// Behind the files of packages and before those that an administrator wants to be last.
constexpr std::string_view file_name = "60-closeside.conf";

/// A comment in lines of at most 80 columns, whatever the terminal: the file is read on others too. What it holds cannot
/// end it: no line end is left.
std::string comment(std::string_view raw, std::size_t indent = 0) {
    constexpr std::size_t width = 80;
    std::string lines, all;
    fill(lines, std::string(indent, ' '), indent + 2, closeside::detail::readable(raw), width - 2);
    for (std::string_view rest = lines; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n') + 1);
        (all += "# ") += line;
        rest.remove_prefix(line.size());
    }
    return all;
}

std::string how_to_load(const host::snapshot& seen) {
    const std::string path = "/etc/sysctl.d/" + std::string(file_name);
    if (seen.space == host::network_namespace::child && !host::detail::boots_by_itself(seen))
        return comment("These are settings of one network namespace, which a file of the host does not reach. For now: "
                       "`sysctl -p FILE` as root inside it. For good: give them to what starts the container, as in "
                       "docker run --sysctl KEY=VALUE, or securityContext.sysctls of a pod.");
    std::string text = comment("To use it, save it as " + path + " and, as root, run `sysctl -p " + path +
                               "`, which sets its values and no others.");
    switch (seen.loader) {
    case host::sysctl_loader::systemd: return text + comment("At boot systemd-sysctl reads it from there.");
    case host::sysctl_loader::procps: return text + comment("At boot `sysctl --system` reads it from there.");
    case host::sysctl_loader::busybox:
        return text + comment("At boot the start script of OpenRC hands it to sysctl -p.");
    case host::sysctl_loader::unknown: break;
    }
    return text + comment("At boot systemd-sysctl or `sysctl --system` reads it from there.");
}

std::string head(const report& r) {
    std::string assumed;
    for (const std::string& name : r.asked.assumed) assumed += (assumed.empty() ? "" : ", ") + name;
    return comment("Suggested by closeside-check " + version_name() + " for Linux " +
                   (r.seen.kernel.empty() ? "of unknown release" : r.seen.kernel) + ", closing by " + assumed +
                   ", exposure " + to_string(r.asked.program.peers) +
                   ". Nothing has been set: review each line, then decide.") +
           how_to_load(r.seen);
}

std::string reason(const host::finding& f) {
    return comment(std::string(f.code) + " " + to_string(f.severity) + ": " + f.message);
}

/// The findings for which no setting stands above, and what to do about each.
std::string unresolved(const std::vector<const host::finding*>& findings) {
    const auto names_setting = [](const host::finding* f) { return f->fix.find("sysctl -w ") != f->fix.npos; };
    std::string without, with_condition;
    for (const host::finding* f : findings)
        (names_setting(f) ? with_condition : without) += reason(*f) + comment(f->fix, 2);
    if (!without.empty()) without.insert(0, "\n" + comment("No setting resolves these:"));
    if (!with_condition.empty())
        with_condition.insert(0,
                              "\n" + comment("A setting resolves these only on the condition that is told with it:"));
    return without + with_condition;
}

std::string assignment(const host::suggestion::change& s) {
    const std::string line = closeside::detail::printable(s.setting.key + " = " + s.setting.value) + "\n";
    switch (s.where) {
    case host::suggestion::settable::here: return line;
    case host::suggestion::settable::host: return comment("To be set on the host, not here:") + "#" + line;
    case host::suggestion::settable::none: return comment("This kernel has no such key now:") + "#" + line;
    }
    return line;
}

std::string paragraph(const host::suggestion::change& s, const report& r) {
    std::string text = "\n";
    for (const host::finding* f : s.reasons) text += reason(*f);
    for (const auto& [f, value] : s.overruled)
        text += comment(std::string(f->code) + " " + to_string(f->severity) + " asks for " + value +
                        " instead; the value below is that of " + std::string(s.reasons.front()->code) +
                        ", which is worse or comes first: " + f->message);
    const host::config_key::setting* const later = r.config.undoing(s.setting.key, file_name);
    if (later && host::detail::to_be_written(later->value) != s.setting.value)
        text += comment("Read after this file, " + later->file + ":" + std::to_string(later->line) + " sets it to " +
                        later->value + " again: change that line too.");
    if (const auto k = host::find_key(s.setting.key); k && host::detail::is_conntrack(*k))
        text +=
            comment("The key comes with the module nf_conntrack: put that into a file below /etc/modules-load.d/, or "
                    "it is not there yet when this file is read.");
    if (!s.was.empty()) text += comment("It was " + host::detail::to_be_written(s.was) + ".");
    return text + assignment(s);
}

/// What the check would say after the fragment: some findings hide behind others.
std::string afterwards(const report& r, const std::vector<host::finding>& before, const host::suggestion& s) {
    std::string text;
    const auto find = [](const std::vector<host::finding>& in, std::string_view code) {
        return std::ranges::find(in, code, &host::finding::code) != in.end();
    };
    for (const host::finding& f : host::audit(s.applied_to(r.seen), program_of(r.asked))) {
        const bool excused =
            std::ranges::any_of(r.findings, [&](const judged& j) { return j.suppressed && j.finding.code == f.code; });
        if (excused || is_standing(f) ||
            std::ranges::any_of(s.unresolved, [&](const auto* u) { return u->code == f.code; }))
            continue;
        text += reason(f) + comment((find(before, f.code) ? "remains: " : "comes up: ") + f.fix, 2);
    }
    return text.empty() ? text : "\n" + comment("With these settings closeside-check still finds:") + text;
}

std::string fragment(const report& r, bool all) {
    std::vector<host::finding> counted;
    std::string ignored, standing;
    const auto list = [](std::string& codes, std::string_view code) { (codes += codes.empty() ? "" : ", ") += code; };
    for (const judged& j : r.findings) {
        if (j.suppressed)
            list(ignored, j.finding.code);
        else if (is_standing(j.finding) && !all)
            list(standing, j.finding.code);
        else
            counted.push_back(j.finding);
    }
    const host::suggestion s = host::suggest(counted, r.seen);

    std::string text = head(r);
    if (s.settings.empty()) text += "\n" + comment("No finding asks for a setting.");
    for (const host::suggestion::change& one : s.settings) text += paragraph(one, r);
    text += unresolved(s.unresolved) + afterwards(r, counted, s);
    if (!standing.empty())
        text +=
            "\n" + comment("Notes that hold on any host with the kernel's defaults, and ask for nothing: " + standing +
                           " (--all tells more).");
    if (!ignored.empty()) text += "\n" + comment("Ignored as told: " + ignored + ".");
    return text;
}

} // namespace

void add_suggest(CLI::App& app, action& chosen) {
    CLI::App* const sub = app.add_subcommand(
        "suggest", "Prints a sysctl.d fragment that resolves the findings, for you to review; sets nothing");
    const auto given = std::make_shared<command>();
    add_audit_options(*sub, given->what);
    add_output_options(*sub, given->to, {output_format::text});
    sub->add_flag("-a,--all", given->all, "Also the notes that hold on any host with the kernel's defaults");
    sub->footer("Exit status: 0 printed, 64 usage, 70 could not look or print.");
    sub->callback([&chosen, given] {
        complete(given->what);
        chosen = [given] {
            const std::optional<report> r = look(given->what);
            return r ? deliver(given->to, fragment(*r, given->all), 0) : status_blind;
        };
    });
}

} // namespace check
