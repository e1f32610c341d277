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

/// A command of a shell: its words, without the quotes around them.
struct shell_command {
    std::vector<std::string> words;
    /// It reads what the one before it prints.
    bool is_piped_to = false;
};

inline bool begins_redirection(std::string_view word) noexcept {
    return word.find_first_not_of("0123456789>") == word.npos;
}

/// The commands of a line, with `;`, `&` or `|` between; what follows a `#` is left out.
inline std::vector<shell_command> shell_commands(std::string_view line) {
    std::vector<shell_command> commands(1);
    bool inside = false, escaped = false, quoted = false;
    char quote = '\0';
    for (const char c : line) {
        const bool plain = quote == '\0' && !escaped;
        if (plain && c == '#' && !inside) break;
        if (plain && (c == ';' || c == '&' || c == '|')) {
            inside = false;
            commands.push_back({{}, c == '|'});
            continue;
        }
        if (plain && (c == ' ' || c == '\t' || c == '\r')) {
            inside = false;
            continue;
        }
        // `x>file` are two words, `2>>file` is one.
        if (plain && c == '>' && inside && (quoted || !begins_redirection(commands.back().words.back())))
            inside = false;
        if (!inside && !(plain && c == '\\')) {
            commands.back().words.emplace_back();
            inside = true;
            quoted = false;
        }
        if (plain && c == '\\') {
            escaped = true;
        } else if (plain && (c == '"' || c == '\'')) {
            quote = c;
            quoted = true;
        } else if (!escaped && c == quote) {
            quote = '\0';
        } else {
            commands.back().words.back() += c;
            escaped = false;
        }
    }
    std::erase_if(commands, [](const shell_command& c) { return c.words.empty(); });
    return commands;
}

/// The settings that a shell script makes, as far as they can be seen without running it: by `sysctl -w key=value`, by
/// `echo value > /proc/sys/key`, and by what it writes into files for sysctl with echo, printf, cat or tee.
class script_lines {
public:
    explicit script_lines(std::string_view script) noexcept : rest_(script) {}

    /// The next setting; it lasts until the next call.
    std::optional<line> next() {
        while (next_ == settings_.size()) {
            if (rest_.empty()) return std::nullopt;
            settings_.clear();
            next_ = 0;
            take();
        }
        const auto& [key, value] = settings_[next_++];
        return line{line::kind::assignment, number_, key, value};
    }

private:
    /// Each gets all of the text, so that many files and a long text would come to their product.
    static constexpr std::size_t most_files_of_tee = 16;

    void take() {
        std::string_view text = rest_.substr(0, rest_.find('\n'));
        rest_.remove_prefix(std::min(text.size() + 1, rest_.size()));
        ++number_;
        if (text.ends_with('\r')) text.remove_suffix(1);
        if (!document_end_.empty()) return take_of_document(text);
        const bool was_sysctl = std::exchange(is_sysctl_, false);
        std::vector<shell_command> commands = shell_commands(text);
        bool goes_on = was_sysctl;
        for (const shell_command& command : commands) {
            if (goes_on)
                add_assignments(command.words, 0);
            else
                run(command);
            goes_on = false;
        }
        is_sysctl_ = text.ends_with('\\') && (was_sysctl ? commands.size() < 2 : is_sysctl_);
        if (text.find("<<") != text.npos) begin_document(commands, text.find("sysctl") != text.npos);
    }

    /// `cat > /etc/sysctl.d/9.conf <<EOF`
    void begin_document(const std::vector<shell_command>& commands, bool is_for_sysctl) {
        for (const shell_command& command : commands)
            for (std::size_t i = 0; i != command.words.size(); ++i) {
                std::string_view word = command.words[i];
                if (!word.starts_with("<<") || word.starts_with("<<<")) continue;
                word.remove_prefix(2);
                if (word.starts_with('-')) word.remove_prefix(1);
                document_end_ = !word.empty() || i + 1 == command.words.size() ? word : command.words[i + 1];
                document_counts_ = is_for_sysctl;
            }
    }

    void take_of_document(std::string_view text) {
        if (trim(text, blanks_of_isspace) == document_end_)
            document_end_.clear();
        else if (document_counts_)
            add_lines(text);
    }

    void run(const shell_command& command) {
        const std::vector<std::string>& words = command.words;
        const std::string printed = std::exchange(printed_, {});
        const std::size_t first = first_word(words);
        if (first == words.size()) return;
        const std::string_view name = std::string_view(words[first]).substr(words[first].rfind('/') + 1);
        is_sysctl_ = name == "sysctl";
        if (is_sysctl_)
            add_assignments(words, first + 1);
        else if (name == "echo" || name == "printf")
            print(words, first + 1);
        else if (name == "tee" && command.is_piped_to)
            for (std::size_t i = first + 1; i < std::min(words.size(), first + 1 + most_files_of_tee); ++i)
                write_to(words[i], printed);
        else if ((name == "sh" || name == "bash") && first + 2 < words.size() && words[first + 1] == "-c")
            for (const shell_command& inner : shell_commands(words[first + 2]))
                if (inner.words.front() != words[first]) run(inner);
    }

    /// Behind what may stand before a command: keywords, sudo with its options, variables.
    static std::size_t first_word(const std::vector<std::string>& words) {
        std::size_t i = 0;
        for (bool options = false; i != words.size(); ++i) {
            const std::string_view word = words[i];
            if (options && word.starts_with('-')) continue;
            options = word == "sudo" || word == "doas" || word == "env";
            const bool keyword = word == "exec" || word == "if" || word == "then" || word == "else" || word == "do" ||
                                 word == "while" || word == "!" || word == "{" || word == "(";
            const bool variable = word.find('=') != word.npos && word.find_first_of("./") > word.find('=');
            if (!options && !keyword && !variable) break;
        }
        return i;
    }

    void add_assignments(const std::vector<std::string>& words, std::size_t first) {
        for (std::size_t i = first; i != words.size(); ++i) {
            const std::size_t equals = words[i].find('=');
            if (equals != std::string::npos && words[i].front() != '-')
                add(words[i].substr(0, equals), std::string_view(words[i]).substr(equals + 1));
        }
    }

    void print(const std::vector<std::string>& words, std::size_t first) {
        std::size_t i = first;
        for (; i != words.size() && words[i].find('>') > 1; ++i)
            if (words[i] != "-n" && words[i] != "-e") printed_ += (printed_.empty() ? "" : " ") + words[i];
        // Of several files the last gets it.
        std::string_view file;
        for (; i != words.size(); ++i) {
            std::string_view target = words[i];
            if (target.starts_with('1')) target.remove_prefix(1);
            if (!target.starts_with('>')) continue;
            target.remove_prefix(std::min(target.find_first_not_of('>'), target.size()));
            file = !target.empty() || i + 1 == words.size() ? target : words[i + 1];
        }
        if (!file.empty()) write_to(file, printed_);
    }

    void write_to(std::string_view file, const std::string& text) {
        constexpr std::string_view sysctls = "/proc/sys/";
        if (file.starts_with(sysctls)) return add(std::string(file.substr(sysctls.size())), text);
        if (file.find("sysctl") == file.npos) return;
        // As printf and `echo -e` understand it.
        for (std::string_view rest = text; !rest.empty();) {
            const std::size_t end = std::min(rest.find("\\n"), rest.size());
            add_lines(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 2, rest.size()));
        }
    }

    void add_lines(std::string_view text) {
        procps_lines lines(text);
        while (const auto found = lines.next())
            if (found->what == line::kind::assignment) add(std::string(found->key), found->value);
    }

    /// What a variable or a command brings is not known.
    void add(std::string key, std::string_view value) {
        if (value.find_first_of("$`") != value.npos || key.find_first_of("$`") != key.npos) return;
        settings_.emplace_back(std::move(key), trim(value, blanks_of_isspace));
    }

    std::string_view rest_;
    unsigned number_ = 0;
    std::vector<std::pair<std::string, std::string>> settings_;
    std::size_t next_ = 0;
    /// The line goes on with words of sysctl.
    bool is_sysctl_ = false;
    /// Of a document that the script carries with it: the line that ends it; empty outside of one.
    std::string document_end_;
    bool document_counts_ = false;
    /// By the command before, for one that reads it.
    std::string printed_;
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
