// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_KEY_PROBLEMS_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_KEY_PROBLEMS_HPP

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/kernel_defaults.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/detail/sysctl_d/kernel_value.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/key_tree.hpp>
#include <closeside/host/detail/sysctl_d/known_keys.hpp>
#include <closeside/host/detail/sysctl_d/modules.hpp>
#include <closeside/host/detail/sysctl_d/spelling.hpp>
#include <closeside/host/key_value.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host::detail::sysctl_d {

inline std::string where(const config_key::setting& s) { return s.file + ":" + std::to_string(s.line); }

/// Judges the keys that files set, one after the other.
class key_judge {
public:
    key_judge(config_view& view, key_tree& tree, const modules& m)
        : view_(&view), tree_(&tree), modules_(&m), kernel_(parse_kernel_version(tree.read("kernel/osrelease").text)),
          is_child_(tree.is_known() && tree.look("net/ipv4/ip_local_port_range") != key_tree::kind::missing &&
                    tree.look("net/ipv4/tcp_max_orphans") == key_tree::kind::missing) {}

    void judge(const config_key& k, const std::string& path) {
        first_of_key_ = view_->problems.size();
        const bool busybox = view_->loader == sysctl_loader::busybox;
        if (busybox) refusals(k, k.busybox);
        if (!busybox) refusals(k, k.systemd);
        if (!busybox) refusals(k, k.procps);
        const config_key::outcome& boot = view_->at_boot(k);
        const config_key::outcome& other = busybox ? boot : &boot == &k.systemd ? k.procps : k.systemd;
        if (!boot.winner && !other.winner) return;
        const config_key::setting& set = boot.winner ? *boot.winner : *other.winner;

        const bool there = !tree_->is_known() || tree_->look(path) != key_tree::kind::missing;
        if (!there || find_retirement(k.name))
            if (missing(k, path, set, there)) return;
        if (!tree_->is_known() && (future(k, set) || misspelt(k, path, set))) return;
        const bool late = module_order(k, set, there);
        if (!there) return;
        // What a module that comes late has is the kernel's default, and so it will be after the next boot.
        if (k.drift && !late) drift(k, boot);
        disagreement(k);
    }

private:
    /// Printable, with a blank for a tab: what files hold, and what a vector has between its numbers.
    static std::string quoted(const std::string& value) {
        return value.empty() ? "nothing" : "'" + closeside::detail::printable(to_be_written(value)) + "'";
    }

    static std::string sets(const config_key::outcome& o) {
        return o.winner ? "sets " + quoted(o.shown) + " by " + where(*o.winner) : "leaves it as it is";
    }

    void say(config_problem_kind kind, severity how_bad, const config_key& k, const config_key::setting& at,
             std::string text) {
        config_problem problem{kind, how_bad, k.name, at.file, at.line, std::move(text)};
        auto& all = view_->problems;
        // Two loaders object to one line. Of the key alone: all of them together would be looked through for each.
        const auto here = all.begin() + static_cast<std::ptrdiff_t>(first_of_key_);
        if (std::find(here, all.end(), problem) == all.end()) all.push_back(std::move(problem));
    }

    void refusals(const config_key& k, const config_key::outcome& o) {
        for (const config_key::loser& loser : o.losers) {
            if (loser.why == config_key::loss::refused)
                say(config_problem_kind::refused_value, severity::warning, k, loser.setting,
                    "the kernel refuses " + quoted(loser.setting.value) + ": " + loser.by);
            if (loser.why == config_key::loss::read_only)
                say(config_problem_kind::read_only_key, severity::note, k, loser.setting,
                    is_child_ ? "the key cannot be written to in this network namespace"
                              : "the key cannot be written to");
        }
    }

    /// False: there is more to say about a key that is there after all.
    bool missing(const config_key& k, const std::string& path, const config_key::setting& set, bool there) {
        if (const auto gone = find_retirement(k.name)) {
            if (there && tree_->is_known()) return false;
            const retired_key& retired = *gone->key;
            const auto since = parse_kernel_version(retired.since);
            const bool kernel_has_it = kernel_ && since && *kernel_ < *since;
            if (kernel_has_it && is_child_) return hidden(k, set);
            if (kernel_has_it) return true;
            if (gone->successor.empty())
                say(config_problem_kind::removed_key, severity::warning, k, set,
                    "Linux " + std::string(retired.since) + " has removed this key: " + std::string(retired.why));
            else
                say(config_problem_kind::renamed_key, severity::warning, k, set,
                    "since Linux " + std::string(retired.since) + " this key is called " + gone->successor +
                        " only; the line sets nothing");
            return true;
        }
        if (const std::string_view module = module_of(k.name); !module.empty() && !module_is_there(module))
            return false;
        if (future(k, set)) return true;
        if (is_child_) return hidden(k, set);
        unknown(k, path, set);
        return true;
    }

    bool hidden(const config_key& k, const config_key::setting& set) {
        say(config_problem_kind::hidden_key, severity::note, k, set,
            "this network namespace does not have the key; the host's may");
        return true;
    }

    void unknown(const config_key& k, const std::string& path, const config_key::setting& set) {
        const std::size_t slash = path.rfind('/');
        const std::string above = path.substr(0, slash), name = path.substr(slash + 1);
        if (path.starts_with("net/ipv4/conf/") || path.starts_with("net/ipv4/neigh/") ||
            path.starts_with("net/ipv6/conf/") || path.starts_with("net/ipv6/neigh/")) {
            if (tree_->look(above) == key_tree::kind::missing) return; // an interface that comes later
        } else if (!path.starts_with("net/ipv4/") && !path.starts_with("net/core/") &&
                   !path.starts_with("net/netfilter/")) {
            return;
        }
        const std::string near = spelling_.nearest(name, tree_->names(above));
        say(config_problem_kind::unknown_key, severity::warning, k, set,
            "this kernel has no such key" +
                (near.empty() ? std::string() : "; " + with_dots(above + "/" + near) + " is near to it"));
    }

    /// Of a kernel that is not here: near to a key, and none that any release is known to have.
    bool misspelt(const config_key& k, const std::string& path, const config_key::setting& set) {
        const std::size_t slash = path.rfind('/');
        if (slash == path.npos || tree_->is_name(path)) return false;
        const std::string above = path.substr(0, slash);
        const std::string near = spelling_.nearest(path.substr(slash + 1), tree_->names(above));
        if (near.empty()) return false;
        say(config_problem_kind::unknown_key, severity::warning, k, set,
            "no such key is known of any kernel; " + with_dots(above + "/" + near) + " is near to it");
        return true;
    }

    /// True: a later kernel has the key.
    bool future(const config_key& k, const config_key::setting& set) {
        const auto id = find_key(k.name);
        const key_history* const history = id ? history_of(*id) : nullptr;
        if (!history || !kernel_ || *kernel_ >= history->since || has_key(*history, *kernel_)) return false;
        // Red Hat's kernels have much of later ones; only a look at the host tells.
        const bool may_have_it =
            !tree_->is_known() && tree_->read("kernel/osrelease").text.find(".el") != std::string::npos;
        say(config_problem_kind::future_key, severity::warning, k, set,
            "the key is there since Linux " + std::to_string(history->since.major) + "." +
                std::to_string(history->since.minor) + "; on this kernel the line sets nothing" +
                (may_have_it ? ", unless Red Hat has taken the key over" : ""));
        return true;
    }

    bool module_is_there(std::string_view module) const {
        return tree_->look(module == "nf_conntrack" ? "net/netfilter/nf_conntrack_count" : "net/bridge") !=
               key_tree::kind::missing;
    }

    void drift(const config_key& k, const config_key::outcome& boot) {
        const std::string begin =
            "the kernel has " + quoted(k.live) + ", but " + where(*boot.winner) + " sets " + quoted(boot.shown);
        if (k.tuned && is_same_value(with_slashes(k.name), plain(k.tuned->value), k.live))
            return say(config_problem_kind::drift, severity::note, k, *boot.winner,
                       begin + ": tuned sets it after the boot, by " + where(*k.tuned) + ", and will again");
        say(config_problem_kind::drift, severity::warning, k, *boot.winner,
            begin + ": it was changed after boot, or the file was; the next boot brings " + quoted(boot.shown) +
                (k.tuned ? ", and then tuned " + quoted(k.tuned->value) + " by " + where(*k.tuned) : ""));
    }

    /// True: the files are applied before the key is there.
    bool module_order(const config_key& k, const config_key::setting& set, bool there) {
        const std::string_view module = module_of(k.name);
        if (module.empty() || !tree_->is_known() || modules_->is_early(module)) return false;
        if (there && !modules_->is_loaded(module)) return false; // built into the kernel
        if (modules_->is_followed_by_sysctl(module)) return false;
        const std::string name(module);
        say(config_problem_kind::before_module, severity::warning, k, set,
            (there ? "the key comes with the module " + name + ", which may be loaded after this file is applied"
                   : "the key comes with the module " + name + ", which is not loaded: the line sets nothing") +
                (there && k.drift ? "; now the kernel has " + quoted(k.live) : "") +
                (is_child_ ? "; only the host can load it"
                           : "; `" + name + "` in a file below /etc/modules-load.d/ loads it first"));
        return true;
    }

    void disagreement(const config_key& k) {
        if (k.systemd.winner.has_value() == k.procps.winner.has_value() && k.systemd.shown == k.procps.shown) return;
        // Where neither is what boots, or systemd never does, nobody meets the difference.
        if (view_->loader == sysctl_loader::busybox || view_->loader_reason.starts_with("OpenRC")) return;
        const bool matters = view_->loader == sysctl_loader::systemd || !view_->loader_is_certain;
        const severity how_bad = matters ? severity::warning : severity::note;
        if (k.procps.winner && k.procps.winner->file == "/etc/sysctl.conf") {
            if (!k.systemd.winner && is_default(k.name, k.procps.shown)) return; // nothing is lost
            return say(config_problem_kind::lost_at_boot, how_bad, k, *k.procps.winner,
                       "`sysctl -p` and `sysctl --system` set " + quoted(k.procps.shown) +
                           (k.live == k.procps.shown ? ", which the kernel has now" : "") +
                           "; it is lost at the next boot if systemd boots: systemd-sysctl does not read "
                           "/etc/sysctl.conf, and " +
                           sets(k.systemd));
        }
        const config_key::outcome& boot = view_->at_boot(k);
        const config_key::setting& at = boot.winner        ? *boot.winner
                                        : k.systemd.winner ? *k.systemd.winner
                                                           : *k.procps.winner;
        say(config_problem_kind::loaders_disagree, how_bad, k, at,
            "systemd-sysctl, at boot, " + sets(k.systemd) + "; `sysctl --system` " + sets(k.procps));
    }

    /// The kernel begins with that value.
    bool is_default(std::string_view name, const std::string& value) const {
        const auto id = find_key(name);
        const key_history* const history = id ? history_of(*id) : nullptr;
        return history && kernel_ && !history->by_machine && has_key(*history, *kernel_) &&
               default_of(*history, *kernel_) == value;
    }

    config_view* view_;
    key_tree* tree_;
    const modules* modules_;
    std::optional<kernel_version> kernel_;
    bool is_child_;
    spelling spelling_;
    std::size_t first_of_key_ = 0;
};

} // namespace closeside::host::detail::sysctl_d

#endif
