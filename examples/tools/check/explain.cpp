// SPDX-License-Identifier: BSL-1.0
#include "explain.hpp"
#include "command.hpp"

#include <closeside/host/audit.hpp>
#include <closeside/host/config.hpp>
#include <closeside/host/take_snapshot.hpp>

#include <CLI/CLI.hpp>

#include <cstddef>
#include <memory>

namespace check {

namespace {

struct question {
    std::string word;
    std::string root = "/";
    output to;
    subject about;
};

[[noreturn]] void refuse_word(std::string word) {
    constexpr std::size_t shown = 64;
    const std::vector<std::string> similar = similar_names(word);
    if (word.size() > shown) word = word.substr(0, shown) + "...";
    refuse(
        "explain", one_line(word),
        "is not a key, code, counter or topic that can be explained; " +
            (similar.empty() ? "`closeside-check explain` lists them" : "did you mean " + alternatives(similar) + "?"));
}

looked_at look(const std::string& root) {
    looked_at here{host::take_snapshot({.root = root}), {}};
    const host::config_view config = host::read_config({.root = root});
    here.findings = host::audit(here.seen, host::program{}, {.config = config.error == 0 ? &config : nullptr});
    return here;
}

int run(const question& q) {
    const looked_at here = look(q.root);
    return deliver(q.to,
                   q.to.format == output_format::json ? explained_as_json(q.about, here)
                                                      : explained_as_text(q.about, here, look_at_terminal(q.to)),
                   0);
}

} // namespace

void add_explain(CLI::App& app, action& chosen) {
    CLI::App& explain = *app.add_subcommand("explain", "What a key, a finding, a counter or a topic is about");
    const auto asked = std::make_shared<question>();
    explain
        .add_option("WORD", asked->word,
                    "A key (tcp_tw_reuse), a code (CS101), a counter (PAWSTimewait) or a topic (time-wait); "
                    "without it, all of them are listed")
        ->type_name("");
    explain
        .add_option_function<std::string>(
            "--root",
            [asked](const std::string& directory) {
                if (directory.empty()) refuse("--root", directory, "is not a directory; give one that holds proc/");
                asked->root = directory;
            },
            "Directory that holds proc/, for the values of this host (default: /)")
        ->type_name("DIR");
    add_output_options(explain, asked->to, {output_format::text, output_format::json});
    explain.footer("Exit status: 0 explained, 64 usage or unknown word, 70 could not print.");
    explain.callback([&chosen, asked] {
        if (const auto found = find_subject(asked->word))
            asked->about = *found;
        else
            refuse_word(asked->word);
        chosen = [asked] { return run(*asked); };
    });
}

} // namespace check
