// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/config.hpp>

#include "config_trees.hpp"

#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace host = closeside::host;

namespace {

/// Makes it a host with the usual keys and this tree.
void fill(tests::fake_root& root, const tests::config_tree& tree) {
    root.defaults();
    for (const char* interface : {"all", "default", "lo"})
        root.set("net.ipv4.conf." + std::string(interface) + ".rp_filter", "0");
    tests::make_tree(root.path(), tree);
}

std::string value_of(const host::config_outcome& outcome) { return outcome.winner ? outcome.shown : ""; }

} // namespace

TEST_CASE("every tree of configuration files comes to what the two loaders would make of it") {
    CHECK(tests::config_trees().size() >= 90);
    std::set<std::string> titles;
    for (const tests::config_tree& tree : tests::config_trees()) {
        CAPTURE(tree.title);
        CHECK(titles.insert(tree.title).second);
        tests::fake_root root;
        fill(root, tree);
        const auto view = host::read_config({.root = root.path()});
        CHECK(view.error == 0);
        for (const auto& [key, systemd, procps] : tree.expected) {
            CAPTURE(key);
            const host::config_key* const found = view.find(key);
            if (!found) {
                CHECK(systemd == "");
                CHECK(procps == "");
                continue;
            }
            CHECK(value_of(found->systemd) == systemd);
            CHECK(value_of(found->procps) == procps);
        }
    }
}
