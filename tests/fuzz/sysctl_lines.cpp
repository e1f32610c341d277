// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include <closeside/host/detail/sysctl_d/lines.hpp>
#include <closeside/host/detail/sysctl_d/script_lines.hpp>

#include <string>

// The lines of a configuration file as each loader reads them, and those of a script.
namespace fuzz::sysctl_lines {

using namespace closeside::host::detail::sysctl_d;

bool lies_within(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// A setting, written plainly, is read as the same setting.
template <class Lines>
void reads_itself(const line& l) {
    if (l.what != line::kind::assignment) return;
    // Such a key is another one at the beginning of a line.
    if (!l.key.empty() && std::string_view("#;- \t\n\v\f\r").find(l.key.front()) != std::string_view::npos) return;
    const std::string text = std::string(l.key) + " = " + std::string(l.value) + "\n";
    Lines again(text);
    const auto read = again.next();
    require(read && read->what == line::kind::assignment, "a setting that is written plainly is a setting");
    require(read->key == l.key && read->value == l.value, "a setting that is written plainly is the same setting");
    require(!again.next(), "a setting that is written plainly is one line");
}

template <class Lines>
void read(std::string_view text) {
    Lines lines(text);
    unsigned number = 0;
    while (const auto l = lines.next()) {
        require(l->number > number && l->number <= text.size(), "lines are numbered upwards, each once");
        number = l->number;
        require(lies_within(l->key, text) && lies_within(l->value, text), "a line is a part of the text");
        reads_itself<Lines>(*l);
    }
}

void read_script(std::string_view text) {
    script_lines lines(text);
    std::size_t settings = 0, all = 0;
    while (const auto l = lines.next()) {
        all += l->key.size() + l->value.size();
        require(all <= 17 * text.size(), "the settings of a script come to no more than a multiple of it");
        require(l->number != 0 && l->number <= text.size(), "a setting of a script has a line");
        require(l->key.size() + l->value.size() <= text.size(), "a setting of a script is no longer than the script");
        require(++settings <= text.size(), "a script has no more settings than characters");
    }
}

void run(input in) {
    const std::string_view text = in.rest();
    read<procps_lines>(text);
    read<systemd_lines>(text);
    read<busybox_lines>(text);
    read_script(text);
}

const target here("sysctl_lines", run);

} // namespace fuzz::sysctl_lines
