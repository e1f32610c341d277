// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_SCRIPT_LINES_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_SCRIPT_LINES_HPP

#include <closeside/host/detail/sysctl_d/ledger.hpp>
#include <closeside/host/detail/sysctl_d/lines.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail::sysctl_d {

/// The words of a command, without the quotes around them; what follows a `;`, `&`, `|` or `#` is left out.
inline std::vector<std::string> shell_words(std::string_view command) {
    std::vector<std::string> words;
    bool inside = false;
    char quote = '\0';
    for (const char c : command) {
        if (quote == '\0' && (c == ';' || c == '&' || c == '|' || (c == '#' && !inside))) break;
        if (quote == '\0' && (c == ' ' || c == '\t' || c == '\r')) {
            inside = false;
            continue;
        }
        if (!inside) words.emplace_back();
        inside = true;
        if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote && quote != '\0')
            quote = '\0';
        else
            words.back() += c;
    }
    return words;
}

/// The settings that a shell script makes by `sysctl -w key=value` and `echo value > /proc/sys/key`; as far as they can be
/// seen without running it.
class script_lines {
public:
    explicit script_lines(std::string_view script) noexcept : rest_(script) {}

    /// The next setting; it lasts until the next call.
    std::optional<line> next() {
        while (settings_.empty() && !rest_.empty()) take();
        if (settings_.empty()) return std::nullopt;
        now_ = std::move(settings_.front());
        settings_.erase(settings_.begin());
        return line{line::kind::assignment, number_, now_.first, now_.second};
    }

private:
    void take() {
        const std::string_view command = rest_.substr(0, rest_.find('\n'));
        rest_.remove_prefix(std::min(command.size() + 1, rest_.size()));
        ++number_;
        const auto words = shell_words(command);
        std::size_t first = 0;
        while (first != words.size() && (words[first] == "sudo" || words[first] == "exec")) ++first;
        if (first == words.size()) return;
        if (words[first] == "sysctl" || words[first].ends_with("/sysctl"))
            for (std::size_t i = first + 1; i != words.size(); ++i) add_assignment(words[i]);
        if (words[first] == "echo") add_echo(words, first + 1);
    }

    void add_assignment(std::string_view word) {
        const std::size_t equals = word.find('=');
        if (equals == word.npos || word.front() == '-') return;
        settings_.emplace_back(word.substr(0, equals), trim(word.substr(equals + 1), blanks_of_isspace));
    }

    void add_echo(const std::vector<std::string>& words, std::size_t first) {
        constexpr std::string_view sysctls = "/proc/sys/";
        std::string value;
        std::size_t i = first;
        for (; i != words.size() && words[i].front() != '>'; ++i)
            if (words[i] != "-n") value += (value.empty() ? "" : " ") + words[i];
        std::string target;
        for (; i != words.size(); ++i) target += words[i];
        target.erase(0, std::min(target.find_first_not_of('>'), target.size()));
        if (target.starts_with(sysctls)) settings_.emplace_back(target.substr(sysctls.size()), value);
    }

    std::string_view rest_;
    unsigned number_ = 0;
    std::vector<std::pair<std::string, std::string>> settings_;
    std::pair<std::string, std::string> now_;
};

/// A loader that is given a script's settings.
template <class Loader>
class loader_of_script {
public:
    using lines = script_lines;
    explicit loader_of_script(Loader& loader) noexcept : loader_(&loader) {}
    static std::string path_of(std::string_view key) { return Loader::path_of(key); }
    bool add(assignment e) { return loader_->add(std::move(e)); }

private:
    Loader* loader_;
};

} // namespace closeside::host::detail::sysctl_d

#endif
