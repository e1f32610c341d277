// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_TUNED_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_TUNED_HPP

#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/sysctl_d/file_content.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/lines.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace closeside::host::detail::sysctl_d {

/// What the active profile of tuned sets: a third writer, after the loaders, and again whenever a profile is chosen.
/** Lines that compute their value (`${f:…}`) are left out, since they take tuned to run them. */
class tuned_settings {
public:
    explicit tuned_settings(int root) : root_(root) {
        const std::string names = read_file(root, "/etc/tuned/active_profile").bytes;
        std::string_view rest = trim(names, blanks_of_isspace);
        // A later profile overrides an earlier one.
        while (!rest.empty()) {
            const std::string_view name = rest.substr(0, rest.find_first_of(blanks_of_isspace));
            read_profile(std::string(name));
            rest = trim(rest.substr(name.size()), blanks_of_isspace);
        }
    }

    /// By path below /proc/sys.
    const std::map<std::string, config_key::setting>& settings() const noexcept { return settings_; }

private:
    static constexpr int most_profiles = 16;

    void read_profile(const std::string& name) {
        if (name.find('/') != name.npos || ++profiles_ > most_profiles) return;
        for (const std::string_view directory :
             {"/etc/tuned/profiles/", "/etc/tuned/", "/usr/lib/tuned/profiles/", "/usr/lib/tuned/"}) {
            const std::string file = std::string(directory) + name + "/tuned.conf";
            if (const file_content content = read_file(root_, file); content.state == file_state::read)
                return read_sections(file, content.bytes);
        }
    }

    void read_sections(const std::string& file, std::string_view text) {
        std::string_view section;
        for (unsigned number = 1; !text.empty(); ++number) {
            const std::string_view whole = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(whole.size() + 1, text.size()));
            const std::string_view line = trim(whole, blanks_of_isspace);
            if (line.empty() || line.front() == '#' || line.front() == ';') continue;
            if (line.front() == '[') {
                section = line;
                continue;
            }
            const std::size_t equals = line.find('=');
            if (equals == line.npos) continue;
            const std::string_view name = trim(line.substr(0, equals), blanks_of_isspace);
            const std::string_view value = trim(line.substr(equals + 1), blanks_of_isspace);
            if (section == "[main]" && name == "include") include(value);
            if (section == "[sysctl]") add(name, value, file, number);
        }
    }

    void include(std::string_view names) {
        while (!names.empty()) {
            const std::string_view name = names.substr(0, names.find(','));
            read_profile(std::string(trim(name, blanks_of_isspace)));
            names.remove_prefix(std::min(name.size() + 1, names.size()));
        }
    }

    void add(std::string_view name, std::string_view value, const std::string& file, unsigned number) {
        // `>` and `<` before a value: only if it is more, or less, than what is there.
        if (value.find("${") != value.npos || value.starts_with('>') || value.starts_with('<')) return;
        if (const auto key = canonical(with_slashes(name)))
            settings_.insert_or_assign(*key, config_key::setting{std::string(value), file, number, {}});
    }

    int root_;
    int profiles_ = 0;
    std::map<std::string, config_key::setting> settings_;
};

} // namespace closeside::host::detail::sysctl_d

#endif
