// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_READ_CONFIG_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_READ_CONFIG_HPP

#include <closeside/detail/exceptions.hpp>
#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/sysctl_d/busybox_loader.hpp>
#include <closeside/host/detail/sysctl_d/file_list.hpp>
#include <closeside/host/detail/sysctl_d/file_problems.hpp>
#include <closeside/host/detail/sysctl_d/find_loader.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/key_problems.hpp>
#include <closeside/host/detail/sysctl_d/key_tree.hpp>
#include <closeside/host/detail/sysctl_d/ledger.hpp>
#include <closeside/host/detail/sysctl_d/load.hpp>
#include <closeside/host/detail/sysctl_d/modules.hpp>
#include <closeside/host/detail/sysctl_d/procps_loader.hpp>
#include <closeside/host/detail/sysctl_d/procps_package.hpp>
#include <closeside/host/detail/sysctl_d/systemd_loader.hpp>
#include <closeside/host/detail/sysctl_d/tuned.hpp>
#include <closeside/host/key.hpp>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

namespace closeside::host::detail::sysctl_d {

/// Every key that the host check reads, every one that a file sets, and what each loader makes of it.
inline void list_keys(config_view& view, const key_tree& tree, ledger& systemd, ledger& procps, ledger& busybox) {
    std::set<std::string> paths;
    for (const key_facts& facts : key_table) paths.insert(with_slashes(facts.name));
    for (ledger* book : {&systemd, &procps, &busybox})
        for (const auto& [path, outcome] : book->outcomes()) paths.insert(path);

    for (const std::string& path : paths) {
        config_key k;
        k.name = with_dots(path);
        key_value live = tree.read(path);
        k.status = live.status;
        k.live = std::move(live.text);
        k.systemd = std::move(systemd.outcomes()[path]);
        k.procps = std::move(procps.outcomes()[path]);
        k.busybox = std::move(busybox.outcomes()[path]);
        const config_key::outcome& boot = view.at_boot(k);
        k.drift = k.status == key_status::present && boot.winner && !is_same_value(path, boot.shown, k.live);
        view.keys.push_back(std::move(k));
    }
    std::sort(view.keys.begin(), view.keys.end(),
              [](const config_key& a, const config_key& b) { return a.name < b.name; });
}

inline void sort_problems(config_view& view) {
    const auto order = [](const config_problem& p) { return std::tie(p.file, p.line, p.key, p.kind); };
    std::sort(view.problems.begin(), view.problems.end(), [&](const config_problem& a, const config_problem& b) {
        return a.severity != b.severity ? a.severity > b.severity : order(a) < order(b);
    });
}

template <class Loader>
void apply_loader(const loaded_files& all, const Loader& loader, key_tree& tree, ledger& book) {
    std::vector<std::string> candidates(all.named.begin(), all.named.end());
    for (const key_facts& facts : key_table)
        if (std::string path = with_slashes(facts.name); !all.named.contains(path))
            candidates.push_back(std::move(path));
    loader.apply(tree, candidates, book);
}

inline std::string in_words(const procps_release& r) {
    return r.exclusion_globs  ? "4.0.5 and later"
           : r.globs          ? "4.0.0 to 4.0.4"
           : r.run_before_etc ? "3.3.16 and before"
                              : "3.3.17";
}

inline std::string outcome_in_words(const config_key::outcome& o) {
    return o.winner ? "'" + closeside::detail::printable(to_be_written(o.shown)) + "'" : std::string("nothing");
}

/// What files hold goes to logs and terminals: no control character of theirs is left in it.
inline void make_printable(std::string& text) {
    if (!closeside::detail::is_one_printable_line(text)) text = closeside::detail::terminal_text(text);
}

inline void make_printable(config_key::setting& setting) {
    for (std::string* text : {&setting.value, &setting.file, &setting.pattern}) make_printable(*text);
}

inline void make_printable(config_key::outcome& outcome) {
    if (outcome.winner) make_printable(*outcome.winner);
    make_printable(outcome.shown);
    for (config_key::loser& loser : outcome.losers) {
        make_printable(loser.setting);
        make_printable(loser.by);
    }
}

inline void make_printable(config_view& view) {
    for (config_key& k : view.keys) {
        make_printable(k.name);
        make_printable(k.systemd);
        make_printable(k.procps);
        make_printable(k.busybox);
        if (k.tuned) make_printable(*k.tuned);
    }
    for (config_problem& p : view.problems)
        for (std::string* text : {&p.key, &p.file, &p.text}) make_printable(*text);
    for (std::string& file : view.files) make_printable(file);
    // find() goes by the order, which an escape may have changed.
    std::sort(view.keys.begin(), view.keys.end(),
              [](const config_key& a, const config_key& b) { return a.name < b.name; });
}

/// No port range may begin below it, since Linux 4.11 (commit 4548b683b781).
inline std::int64_t first_unprivileged_port(const key_tree& tree, std::optional<kernel_version> kernel) {
    if (kernel && *kernel < kernel_version{4, 11}) return 0;
    return closeside::detail::parse_number(tree.read("net/ipv4/ip_unprivileged_port_start").text).value_or(1024);
}

/// What `sysctl --system` makes of the files if it is of another release, where that differs.
inline void compare_releases(config_view& view, int root, file_finder& finder, loaded_files& all, key_tree& tree,
                             const write_context& namespace_of, std::span<const procps_release> releases) {
    std::set<std::string_view> said;
    for (const procps_release& release : releases.subspan(1)) {
        ledger book(tree, namespace_of.first_unprivileged_port, namespace_of.kernel);
        procps_loader loader(release);
        load_files(root, finder.for_procps(release), loader, book, all);
        apply_loader(all, loader, tree, book);
        for (const config_key& k : view.keys) {
            const config_key::outcome& other = book.outcomes()[with_slashes(k.name)];
            if (other.winner.has_value() == k.procps.winner.has_value() && other.shown == k.procps.shown) continue;
            if (!said.insert(k.name).second) continue;
            const config_key::setting& at = k.procps.winner ? *k.procps.winner : *other.winner;
            view.problems.push_back({config_problem_kind::uncertain_loader, severity::note, k.name, at.file, at.line,
                                     "what `sysctl --system` sets depends on the release of procps, which is not known "
                                     "here: " +
                                         outcome_in_words(k.procps) + " by " + in_words(releases.front()) + ", " +
                                         outcome_in_words(other) + " by " + in_words(release)});
        }
    }
}

/// Fills `view`, whose `error` is set if the root cannot be opened.
inline void read_files(config_view& view, const std::string& host_root, sysctl_loader wanted,
                       const std::optional<procps_release>& told) {
    const closeside::detail::owned_descriptor top = closeside::detail::open_directory(AT_FDCWD, host_root.c_str());
    view.error = top ? 0 : errno;
    if (!top) return;
    const int root = top.get();
    find_loader(view, root, wanted);
    const installed_procps installed = told ? installed_procps{{}, {*told}} : find_procps(root);
    view.procps = installed.name;

    key_tree tree(root);
    const auto kernel = parse_kernel_version(tree.read("kernel/osrelease").text);
    const auto first_port = first_unprivileged_port(tree, kernel);
    ledger procps_book(tree, first_port, kernel), systemd_book(tree, first_port, kernel),
        busybox_book(tree, first_port, kernel);
    procps_loader procps(installed.possible.front());
    systemd_loader systemd;
    busybox_loader busybox;

    file_finder finder(root);
    // BusyBox reads lines otherwise: where it is what boots, those of others are no problem.
    loaded_files all, of_busybox;
    const auto procps_files = finder.for_procps(installed.possible.front());
    const auto busybox_files = finder.for_busybox();
    for (const listed_file& file : view.loader == sysctl_loader::busybox ? busybox_files : procps_files)
        if (file.masked_by.empty()) view.files.push_back(file.path);
    load_files(root, procps_files, procps, procps_book, all);
    auto systemd_files = finder.for_systemd();
    // What was handed to the host as a credential comes last (systemd.system-credentials(7), since 252).
    if (const std::string credential = "/run/credentials/@system/sysctl.extra"; locate(root, credential).error == 0)
        systemd_files.push_back({credential});
    load_files(root, systemd_files, systemd, systemd_book, all);
    if (view.loader == sysctl_loader::busybox) load_files(root, busybox_files, busybox, busybox_book, of_busybox);

    apply_loader(all, procps, tree, procps_book);
    apply_loader(all, systemd, tree, systemd_book);
    busybox.apply(busybox_book);
    list_keys(view, tree, systemd_book, procps_book, busybox_book);
    const tuned_settings tuned(root);
    for (config_key& k : view.keys)
        if (const auto set = tuned.settings().find(with_slashes(k.name)); set != tuned.settings().end())
            k.tuned = set->second;

    judge_files(view, view.loader == sysctl_loader::busybox ? of_busybox : all, finder);
    const modules modules(root);
    key_judge judge(view, tree, modules);
    for (const config_key& k : view.keys) judge.judge(k, with_slashes(k.name));
    if (view.loader != sysctl_loader::busybox)
        compare_releases(view, root, finder, all, tree, {{}, first_port, kernel}, installed.possible);
    sort_problems(view);
    make_printable(view);
}

} // namespace closeside::host::detail::sysctl_d

#endif
