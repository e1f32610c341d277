// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_FILE_PROBLEMS_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_FILE_PROBLEMS_HPP

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/sysctl_d/file_list.hpp>
#include <closeside/host/detail/sysctl_d/load.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace closeside::host::detail::sysctl_d {

inline void judge_content(config_view& view, const std::string& path, const file_content& content) {
    using kind = config_problem_kind;
    const auto say = [&](kind what, severity how_bad, std::string text) {
        view.problems.push_back({what, how_bad, {}, path, 0, std::move(text)});
    };
    if (content.changed)
        say(kind::changing_file, severity::warning, "the file was written to while it was read; look again");
    switch (content.state) {
    case file_state::read:
    case file_state::null:
    case file_state::missing: return;
    case file_state::too_large:
        return say(kind::oversized, severity::warning,
                   "the file is larger than " + std::to_string(most_bytes_of_a_file / 1024) +
                       " KiB; only its beginning was looked at");
    case file_state::dangling:
        return say(kind::dangling_link, severity::note,
                   "the link leads nowhere: it sets nothing, and masks files of this name in later directories");
    case file_state::looping:
        return say(kind::unreadable_file, severity::warning,
                   "the link leads back to itself: it sets nothing, and masks files of this name in later directories");
    case file_state::directory: return say(kind::unreadable_file, severity::note, "it is a directory: it sets nothing");
    case file_state::fifo:
        return say(kind::dangerous_file, severity::critical,
                   "it is a FIFO: systemd-sysctl and `sysctl --system` wait at it for ever, and set nothing at all");
    case file_state::device:
        return say(kind::dangerous_file, severity::critical,
                   "it is a device or a socket: a loader that reads it may never end, and then sets nothing at all");
    case file_state::denied:
        return say(kind::unreadable_file, severity::warning,
                   "this process may not read it (" + std::generic_category().message(content.error) +
                       "), the loaders may: what it sets is not known here");
    case file_state::failed:
        return say(kind::unreadable_file, severity::warning,
                   "reading it fails: " + std::generic_category().message(content.error));
    }
}

/// A text of a file in quotes, and behind it what is wrong with it; a byte order mark is not to be seen in an editor.
inline std::string quoted_line(std::string_view text, std::string_view wrong) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    const bool marked = text.starts_with(byte_order_mark);
    if (marked) text.remove_prefix(byte_order_mark.size());
    return "'" + closeside::detail::printable(text) + "' " + std::string(wrong) +
           (marked ? ", since a byte order mark stands before it: save the file without one" : "");
}

/// What is wrong with files and lines, apart from the keys that they set.
inline void judge_files(config_view& view, const loaded_files& all, const file_finder& finder) {
    using kind = config_problem_kind;
    for (const auto& [path, content] : all.contents)
        if (all.in_force.contains(path)) judge_content(view, path, content);
    for (const std::string& path : all.cut)
        view.problems.push_back({kind::oversized,
                                 severity::warning,
                                 {},
                                 path,
                                 0,
                                 "there are more settings or patterns than are looked at; not all count here"});
    for (const std::string& directory : finder.cut())
        view.problems.push_back({kind::oversized,
                                 severity::warning,
                                 {},
                                 directory,
                                 0,
                                 "the directory has more than " + std::to_string(file_finder::most_names) +
                                     " names; not all were looked at"});
    for (const auto& [directory, error] : finder.unreadable())
        view.problems.push_back({kind::unreadable_file,
                                 severity::warning,
                                 {},
                                 directory,
                                 0,
                                 "the directory cannot be read: " + std::generic_category().message(error)});

    constexpr std::size_t most_of_a_file = 8;
    std::map<std::string, std::size_t> said;
    for (const auto& [id, text] : all.without_equals)
        if (++said[id.first] <= most_of_a_file)
            view.problems.push_back({kind::no_setting,
                                     severity::warning,
                                     {},
                                     id.first,
                                     id.second,
                                     quoted_line(text, "sets nothing: it has no '='")});
    for (const auto& [id, text] : all.strange_keys)
        if (!all.good_lines.contains(id) && ++said[id.first] <= 2 * most_of_a_file)
            view.problems.push_back({kind::malformed_key,
                                     severity::warning,
                                     {},
                                     id.first,
                                     id.second,
                                     quoted_line(text, "is no key: the line sets nothing")});
}

} // namespace closeside::host::detail::sysctl_d

#endif
