// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_CONFIG_VIEW_HPP
#define CLOSESIDE_HOST_CONFIG_VIEW_HPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/snapshot.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host {

/// A key, what the kernel has for it, and what the configuration files make of it.
struct config_key {
    /// One line of a configuration file that sets a key.
    struct setting {
        /// As it stands in the file, without the blanks around it.
        std::string value;
        /// As seen from the root that was looked below: "/etc/sysctl.d/10-tcp.conf".
        std::string file;
        /// From 1.
        unsigned line = 0;
        /// The pattern that the key was set by; empty if the line names the key.
        std::string pattern{};

        friend bool operator==(const setting&, const setting&) = default;
    };

    /// Why a line does not decide.
    enum class loss : std::uint8_t {
        overridden, ///< a later line sets the same key
        masked,     ///< a file of the same name in a directory before hides the whole file
        literal,    ///< a line that names the key beats a pattern, wherever the two stand
        excluded,   ///< a line `-key` takes the key away from patterns; for systemd-sysctl also from lines before it
        refused,    ///< the kernel does not take the value
        read_only   ///< nobody can write to the key in this network namespace
    };

    /// A line that does not decide, and why.
    struct loser {
        config_key::setting setting; ///< the line
        loss why = loss::overridden; ///< why it does not decide
        /// By which line ("/etc/sysctl.d/99.conf:3") or file, or what the kernel objects to.
        std::string by;

        friend bool operator==(const loser&, const loser&) = default;
    };

    /// What one loader makes of a key.
    struct outcome {
        /// The line whose value the key has after the loader has run; without one the loader leaves the key as it is.
        std::optional<setting> winner;
        /// What the kernel shows then: `030` becomes `24`, a lone port keeps the high end of the range.
        std::string shown;
        /// The lines that do not decide.
        std::vector<loser> losers;

        friend bool operator==(const outcome&, const outcome&) = default;
    };

    /// As sysctl(8) writes it.
    std::string name;
    /// What reading its live value came to.
    key_status status = key_status::absent;
    /// What the kernel has now.
    std::string live;
    outcome systemd; ///< what systemd-sysctl makes of it
    outcome procps;  ///< what `sysctl --system` of procps makes of it
    outcome busybox; ///< what Alpine's start script makes of it
    /// What tuned's active profile sets it to, after the boot and whenever the profile is chosen anew.
    std::optional<setting> tuned{};
    /// The kernel has another value than the loader in use would set.
    bool drift = false;

    friend bool operator==(const config_key&, const config_key&) = default;
};

/// The name of a value, as closeside-check's JSON has it.
constexpr const char* to_string(config_key::loss l) noexcept {
    switch (l) {
    case config_key::loss::overridden: return "overridden";
    case config_key::loss::masked: return "masked";
    case config_key::loss::literal: return "literal";
    case config_key::loss::excluded: return "excluded";
    case config_key::loss::refused: return "refused";
    case config_key::loss::read_only: return "read-only";
    }
    return "?";
}

/// What is wrong with a configuration file or a line of it.
enum class config_problem_kind : std::uint8_t {
    removed_key,      ///< the kernel has given the key up
    renamed_key,      ///< it has another name now
    unknown_key,      ///< no such key below net; mostly misspelt
    future_key,       ///< a later release brings it
    hidden_key,       ///< not in this network namespace, but perhaps in the host's
    malformed_key,    ///< what is before the `=` is no key, such as `export net.ipv4.…`
    no_setting,       ///< a line without `=`
    refused_value,    ///< the kernel does not take the value
    read_only_key,    ///< the key cannot be written to here
    before_module,    ///< the key appears only with a module that may be loaded after the loader has run
    lost_at_boot,     ///< set by /etc/sysctl.conf, which systemd-sysctl does not read
    loaders_disagree, ///< `sysctl --system` would set another value than the boot does
    uncertain_loader, ///< what is set depends on the release of procps, and that is not known
    drift,            ///< the kernel has another value than the files set
    unreadable_file,  ///< missing permission, an error, a loop: what it sets is not known
    dangling_link,    ///< a link to nothing masks files of its name, perhaps by accident
    dangerous_file,   ///< a FIFO or an endless device: the loaders hang at it
    oversized,        ///< more than is looked at
    changing_file     ///< written to while it was read
};

/// The name of a value, as closeside-check's JSON has it.
constexpr const char* to_string(config_problem_kind k) noexcept {
    switch (k) {
    case config_problem_kind::removed_key: return "removed-key";
    case config_problem_kind::renamed_key: return "renamed-key";
    case config_problem_kind::unknown_key: return "unknown-key";
    case config_problem_kind::future_key: return "future-key";
    case config_problem_kind::hidden_key: return "hidden-key";
    case config_problem_kind::malformed_key: return "malformed-key";
    case config_problem_kind::no_setting: return "no-setting";
    case config_problem_kind::refused_value: return "refused-value";
    case config_problem_kind::read_only_key: return "read-only-key";
    case config_problem_kind::before_module: return "before-module";
    case config_problem_kind::lost_at_boot: return "lost-at-boot";
    case config_problem_kind::loaders_disagree: return "loaders-disagree";
    case config_problem_kind::uncertain_loader: return "uncertain-loader";
    case config_problem_kind::drift: return "drift";
    case config_problem_kind::unreadable_file: return "unreadable-file";
    case config_problem_kind::dangling_link: return "dangling-link";
    case config_problem_kind::dangerous_file: return "dangerous-file";
    case config_problem_kind::oversized: return "oversized";
    case config_problem_kind::changing_file: return "changing-file";
    }
    return "?";
}

/// Something that is wrong with the configuration files.
struct config_problem {
    config_problem_kind kind = config_problem_kind::unknown_key; ///< what is wrong
    host::severity severity = host::severity::warning;           ///< how bad that is
    /// Empty if it is about a file, as are the others if they do not apply.
    std::string key;
    std::string file;  ///< as seen from the root
    unsigned line = 0; ///< from 1
    /// One sentence for an operator, without a full stop.
    std::string text;

    friend bool operator==(const config_problem&, const config_problem&) = default;
};

/// What differs between releases of procps in `sysctl --system`; the default is the current release.
struct procps_release {
    bool globs = true;           ///< patterns are expanded: since 4.0.0
    bool exclusion_globs = true; ///< `-pattern` takes away whatever it matches: since 4.0.5
    bool run_before_etc = false; ///< /run/sysctl.d comes before /etc/sysctl.d: up to 3.3.16

    /// That of procps-ng 4.0.2 is of(4, 0, 2).
    static constexpr procps_release of(int major, int minor, int patch) noexcept {
        const auto at_least = [&](int a, int b, int c) {
            return major != a ? major > a : minor != b ? minor > b : patch >= c;
        };
        return {at_least(4, 0, 0), at_least(4, 0, 5), !at_least(3, 3, 17)};
    }
};

/// What the configuration files below a root set under net, and what is wrong with them. A plain value.
struct config_view {
    /// Below which directory the files were read.
    std::string root = "/";
    /// 0, or the errno of opening the root.
    int error = 0;
    /// Which loader applies the files at boot; drift is judged by it.
    sysctl_loader loader = sysctl_loader::procps;
    /// What tells that, in a few words.
    std::string loader_reason;
    /// Whether that is more than the lack of another sign.
    bool loader_is_certain = false;
    /// The release of procps that is installed, as in "4.0.2", or what is known of it; empty: nothing.
    std::string procps;
    /// By name: every key that the host check reads, and every other one below net that a file sets.
    std::vector<config_key> keys;
    /// The worst first.
    std::vector<config_problem> problems;
    /// Every file that `sysctl --system` reads, in its order; systemd-sysctl leaves out /etc/sysctl.conf.
    std::vector<std::string> files;

    /// The key of that name; nullptr if it is not among them.
    CLOSESIDE_DECL const config_key* find(std::string_view name) const noexcept;

    /// What the loader in use makes of a key.
    const config_key::outcome& at_boot(const config_key& k) const noexcept {
        return loader == sysctl_loader::systemd ? k.systemd : loader == sysctl_loader::busybox ? k.busybox : k.procps;
    }

    /// The line of another configuration file that would undo a setting made in `file`, a name such as 60-closeside.conf
    /// below /etc/sysctl.d; nullptr if the loader in use reads no such line after it.
    CLOSESIDE_DECL const config_key::setting* undoing(std::string_view key, std::string_view file) const noexcept;

    friend bool operator==(const config_view&, const config_view&) = default;
};

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/config_view.ipp>
#endif

#endif
