// SPDX-License-Identifier: BSL-1.0
#include "printable_view.hpp"
#include "target.hpp"

#include <closeside/host/audit.hpp>
#include <closeside/host/detail/sysctl_d/read_texts.hpp>

#include <array>
#include <string>
#include <vector>

// Files that are judged away from their host: sysctl.conf, dumps of `sysctl -a`, scripts. The first byte says which kernel
// they are for; a line `%%` is between them; one that begins with `#!` is a script.
namespace fuzz::sysctl_texts {

namespace host = closeside::host;
namespace sysctl_d = host::detail::sysctl_d;

std::vector<sysctl_d::settings_text> texts_of(input& in) {
    constexpr std::size_t most = 6;
    std::vector<sysctl_d::settings_text> texts;
    while (!in.empty() && texts.size() != most) {
        const std::string_view bytes = in.take_part();
        texts.push_back({"file" + std::to_string(texts.size()), std::string(bytes), bytes.starts_with("#!")});
    }
    return texts;
}

void run(input in) {
    constexpr std::array releases{"6.18.0", "4.4.0-210-generic", "2.6.32", "5.15", "7.0-rc1"};
    const std::string release = releases[in.below(releases.size())];
    const auto texts = texts_of(in);
    const host::config_view view = sysctl_d::read_texts(texts, release);
    is_printable(view);
    require(view == sysctl_d::read_texts(texts, release), "the same texts give the same view");

    const host::snapshot after = sysctl_d::after_texts(view, release);
    for (const host::finding& f : host::audit(after, {}, {.config = &view})) is_printable(f);
}

const target here("sysctl_texts", run);

} // namespace fuzz::sysctl_texts
