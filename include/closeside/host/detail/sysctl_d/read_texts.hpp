// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_READ_TEXTS_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_READ_TEXTS_HPP

#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/kernel_defaults.hpp>
#include <closeside/host/detail/sysctl_d/file_list.hpp>
#include <closeside/host/detail/sysctl_d/file_problems.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/key_problems.hpp>
#include <closeside/host/detail/sysctl_d/key_tree.hpp>
#include <closeside/host/detail/sysctl_d/ledger.hpp>
#include <closeside/host/detail/sysctl_d/load.hpp>
#include <closeside/host/detail/sysctl_d/modules.hpp>
#include <closeside/host/detail/sysctl_d/procps_loader.hpp>
#include <closeside/host/detail/sysctl_d/read_config.hpp>
#include <closeside/host/detail/sysctl_d/script_lines.hpp>
#include <closeside/host/detail/sysctl_d/systemd_loader.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/snapshot.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail::sysctl_d {

/// What a configuration file of another host holds, and what it is called.
struct settings_text {
    std::string name;
    std::string bytes;
    /// Not settings, but the commands of a shell that make them.
    bool is_script = false;
};

inline constexpr int no_root = -1;

inline key_tree keys_of_release(std::string_view release, kernel_version kernel) {
    std::map<std::string, std::string> values{{"kernel/osrelease", std::string(release)}};
    for (const key_history& h : key_histories)
        if (has_key(h, kernel)) values.emplace(with_slashes(to_string(h.id)), default_of(h, kernel));
    return key_tree(std::move(values));
}

template <class Loader>
void load_texts(std::span<const settings_text> texts, const std::vector<listed_file>& files, Loader& loader,
                ledger& book, loaded_files& all) {
    loader_of_script in_scripts(loader);
    for (std::size_t i = 0; i != texts.size(); ++i)
        if (texts[i].is_script)
            load_file(no_root, files[i], in_scripts, book, all);
        else
            load_file(no_root, files[i], loader, book, all);
}

/// What the texts, read in their order, make of a host that runs the kernel `release`, a text that parse_kernel_version
/// takes. The live values are that kernel's defaults; from them nothing drifts, since nobody has looked.
inline config_view read_texts(std::span<const settings_text> texts, std::string_view release) {
    config_view view;
    view.loader = sysctl_loader::procps;
    view.loader_reason = "in the order given";
    const kernel_version kernel = parse_kernel_version(release).value_or(oldest_known);
    key_tree tree = keys_of_release(release, kernel);
    const auto first_port = first_unprivileged_port(tree, kernel);
    ledger procps_book(tree, first_port, kernel), systemd_book(tree, first_port, kernel);
    procps_loader procps{procps_release{}};
    systemd_loader systemd;

    loaded_files all;
    std::vector<listed_file> files;
    for (const settings_text& text : texts) {
        all.contents.insert_or_assign(text.name, file_content{file_state::read, 0, text.bytes, false});
        files.push_back({text.name});
        view.files.push_back(text.name);
    }
    load_texts(texts, files, procps, procps_book, all);
    load_texts(texts, files, systemd, systemd_book, all);
    apply_loader(all, procps, tree, procps_book);
    apply_loader(all, systemd, tree, systemd_book);
    ledger nothing(tree, first_port, kernel);
    list_keys(view, tree, systemd_book, procps_book, nothing);
    for (config_key& k : view.keys) k.drift = false;

    judge_files(view, all, file_finder(no_root));
    const modules none(no_root);
    key_judge judge(view, tree, none);
    for (const config_key& k : view.keys) judge.judge(k, with_slashes(k.name));
    sort_problems(view);
    make_printable(view);
    return view;
}

/// The keys of that kernel as they are after the texts have been applied, at their defaults where these set nothing.
/** The keys of nf_conntrack are there if a text sets one of them: whoever does so means to have the module. */
inline snapshot after_texts(const config_view& view, std::string_view release) {
    snapshot s;
    s.kernel = release;
    s.space = network_namespace::initial;
    const kernel_version kernel = parse_kernel_version(release).value_or(oldest_known);
    bool conntrack = false;
    for (const config_key& k : view.keys)
        conntrack = conntrack || (k.procps.winner && k.name.starts_with("net.netfilter."));
    for (const key_history& h : key_histories) {
        if (!has_key(h, kernel)) continue;
        if (is_conntrack(h.id) && !conntrack) {
            s[h.id].status = key_status::unloaded;
            continue;
        }
        const config_key* const k = view.find(to_string(h.id));
        const bool is_set = k && k->procps.winner;
        s[h.id] = interpret(facts(h.id).shape, is_set ? std::string_view(k->procps.shown) : default_of(h, kernel));
    }
    return s;
}

} // namespace closeside::host::detail::sysctl_d

#endif
