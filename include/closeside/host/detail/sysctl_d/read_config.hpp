// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_READ_CONFIG_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_READ_CONFIG_HPP

#include <closeside/detail/exceptions.hpp>
#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/sysctl_d/file_list.hpp>
#include <closeside/host/detail/sysctl_d/file_problems.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/key_problems.hpp>
#include <closeside/host/detail/sysctl_d/key_tree.hpp>
#include <closeside/host/detail/sysctl_d/ledger.hpp>
#include <closeside/host/detail/sysctl_d/load.hpp>
#include <closeside/host/detail/sysctl_d/modules.hpp>
#include <closeside/host/detail/sysctl_d/procps_loader.hpp>
#include <closeside/host/detail/sysctl_d/systemd_loader.hpp>
#include <closeside/host/key.hpp>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

namespace closeside::host::detail::sysctl_d {

/// sd_booted(3); and the start script of Debian's procps.
inline void find_loader(config_view& view, int root, sysctl_loader wanted) {
    const located booted = locate(root, "/run/systemd/system");
    if (wanted != sysctl_loader::unknown) {
        view.loader = wanted;
        view.loader_reason = "asked for";
        view.loader_is_certain = true;
    } else if (booted.error == 0 && S_ISDIR(booted.status.st_mode)) {
        view.loader = sysctl_loader::systemd;
        view.loader_reason = "/run/systemd/system is there";
        view.loader_is_certain = true;
    } else {
        view.loader = sysctl_loader::procps;
        view.loader_is_certain = locate(root, "/etc/init.d/procps").error == 0;
        view.loader_reason = view.loader_is_certain ? "no /run/systemd/system, but /etc/init.d/procps"
                                                    : "assumed, since there is no /run/systemd/system";
    }
}

/// Every key that the host check reads, every one that a file sets, and what each loader makes of it.
inline void list_keys(config_view& view, const key_tree& tree, ledger& systemd, ledger& procps) {
    std::set<std::string> paths;
    for (const key_facts& facts : key_table) paths.insert(with_slashes(facts.name));
    for (ledger* book : {&systemd, &procps})
        for (const auto& [path, outcome] : book->outcomes()) paths.insert(path);

    for (const std::string& path : paths) {
        config_key k;
        k.name = with_dots(path);
        key_value live = tree.read(path);
        k.status = live.status;
        k.live = std::move(live.text);
        k.systemd = std::move(systemd.outcomes()[path]);
        k.procps = std::move(procps.outcomes()[path]);
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

inline void apply_loaders(const loaded_files& all, key_tree& tree, const procps_loader& procps, ledger& procps_book,
                          const systemd_loader& systemd, ledger& systemd_book) {
    std::vector<std::string> candidates(all.named.begin(), all.named.end());
    for (const key_facts& facts : key_table)
        if (std::string path = with_slashes(facts.name); !all.named.contains(path))
            candidates.push_back(std::move(path));
    procps.apply(tree, candidates, procps_book);
    systemd.apply(tree, candidates, systemd_book);
}

/// What files hold goes to logs and terminals: no control character of theirs is left in it.
inline void make_printable(std::string& text) {
    const auto steers = [](char c) { return (c >= '\0' && c < ' ' && c != '\t') || c == '\x7f'; };
    if (std::none_of(text.begin(), text.end(), steers)) return;
    std::string escaped;
    for (const char c : text)
        if (steers(c))
            escaped += closeside::detail::printable({&c, 1});
        else
            escaped += c;
    text = std::move(escaped);
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

/// Fills `view`, whose `error` is set if the root cannot be opened.
inline void read_files(config_view& view, const std::string& host_root, sysctl_loader wanted,
                       const procps_release& release) {
    const closeside::detail::owned_descriptor top = closeside::detail::open_directory(AT_FDCWD, host_root.c_str());
    view.error = top ? 0 : errno;
    if (!top) return;
    const int root = top.get();
    find_loader(view, root, wanted);

    key_tree tree(root);
    const auto kernel = parse_kernel_version(tree.read("kernel/osrelease").text);
    const auto first_port = first_unprivileged_port(tree, kernel);
    ledger procps_book(tree, first_port, kernel), systemd_book(tree, first_port, kernel);
    procps_loader procps(release);
    systemd_loader systemd;

    file_finder finder(root);
    loaded_files all;
    const auto procps_files = finder.for_procps(release);
    for (const listed_file& file : procps_files)
        if (file.masked_by.empty()) view.files.push_back(file.path);
    load_files(root, procps_files, procps, procps_book, all);
    auto systemd_files = finder.for_systemd();
    // What was handed to the host as a credential comes last (systemd.system-credentials(7), since 252).
    if (const std::string credential = "/run/credentials/@system/sysctl.extra"; locate(root, credential).error == 0)
        systemd_files.push_back({credential});
    load_files(root, systemd_files, systemd, systemd_book, all);

    apply_loaders(all, tree, procps, procps_book, systemd, systemd_book);
    list_keys(view, tree, systemd_book, procps_book);

    judge_files(view, all, finder);
    const modules modules(root);
    key_judge judge(view, tree, modules);
    for (const config_key& k : view.keys) judge.judge(k, with_slashes(k.name));
    sort_problems(view);
    make_printable(view);
}

} // namespace closeside::host::detail::sysctl_d

#endif
