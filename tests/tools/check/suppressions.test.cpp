// SPDX-License-Identifier: BSL-1.0
#include "support/fake_root.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using nlohmann::json;
using tests::check;
using tests::check_json;
using tests::fake_root;
using tests::finding;
using tests::program_result;

namespace {

struct host_with_rfc1337 {
    host_with_rfc1337() { root.defaults().set("net.ipv4.tcp_rfc1337", "1"); }

    std::string file(const std::string& content) {
        root.add("accepted", content);
        return root.path() + "/accepted";
    }

    fake_root root;
};

} // namespace

TEST_CASE_FIXTURE(host_with_rfc1337, "--ignore takes a last day and a reason, which programs can read") {
    CHECK(check(root).status == 2);
    const std::string argument = "CS101,until=9999-12-31,reason=old kernel, see #12";
    CHECK(check(root, {"--ignore", argument}).status == 0);
    const json f = finding(check_json(root, {"--ignore", argument}), "CS101");
    CHECK(f.at("suppressed") == true);
    CHECK(f.at("suppression") == json{{"until", "9999-12-31"}, {"reason", "old kernel, see #12"}, {"expired", false}});

    const json plain = finding(check_json(root, {"--ignore", "CS101"}), "CS101");
    CHECK(plain.at("suppression") == json{{"until", nullptr}, {"reason", ""}, {"expired", false}});
    CHECK(finding(check_json(root), "CS101").at("suppression") == nullptr);
}

TEST_CASE_FIXTURE(host_with_rfc1337, "a suppression that has expired does not count, and that is said") {
    const std::string argument = "CS101,until=2020-01-31,reason=until the new kernel";
    const program_result r = check(root, {"--ignore", argument});
    CHECK(r.status == 2);
    CHECK(r.out.find("\nCS101 critical") != std::string::npos);
    CHECK(r.out.find("\nCS101 counts again: it was to be ignored until 2020-01-31: until the new kernel\n") !=
          std::string::npos);
    const json f = finding(check_json(root, {"--ignore", argument}), "CS101");
    CHECK(f.at("suppressed") == false);
    CHECK(f.at("suppression").at("expired") == true);
    CHECK(check(root, {"--ignore", argument, "--ignore", "CS101"}).status == 0);

    const std::string metrics = check(root, {"--ignore", argument, "--format", "prometheus"}).out;
    CHECK(metrics.find("{code=\"CS101\",severity=\"critical\",suppressed=\"false\",when=\"now\"} 1\n") != std::string::npos);
    // The end of that day in UTC.
    CHECK(metrics.find("closeside_suppression_expiry_timestamp_seconds{code=\"CS101\"} 1580515200\n") !=
          std::string::npos);
}

TEST_CASE_FIXTURE(host_with_rfc1337, "--suppressions reads them from files") {
    const std::string path = file("# of this host\nCS101 until=9999-12-31 accepted by \"ops\"\n");
    CHECK(check(root, {"--suppressions", path}).status == 0);
    const json f = finding(check_json(root, {"--suppressions", path}), "CS101");
    CHECK(f.at("suppressed") == true);
    CHECK(f.at("suppression").at("reason") == "accepted by \"ops\"");
    CHECK(check(root, {"--suppressions", file("")}).status == 2);
}

TEST_CASE_FIXTURE(host_with_rfc1337, "a wrong suppression is a wrong argument, named with the cure in one line") {
    const auto refused = [&](const std::string& option, const std::string& value) {
        const program_result r = check(root, {option, value});
        CAPTURE(value);
        CHECK(r.status == 64);
        CHECK(r.out.empty());
        CHECK(r.err.find('\n') == r.err.size() - 1);
        return r.err;
    };
    CHECK(
        refused("--ignore", "CS101,until=2027-02-29").find("'until=2027-02-29' names no day; write until=YYYY-MM-DD") !=
        std::string::npos);
    CHECK(refused("--ignore", "CS101,util=2027-02-28").find("'util=2027-02-28'") != std::string::npos);
    CHECK(refused("--ignore", "CS101,").find("give CODE[,until=YYYY-MM-DD][,reason=TEXT]") != std::string::npos);
    CHECK(refused("--ignore", "CS101,until=2027-01-01,until=2027-01-02").find("2027-01-02") != std::string::npos);

    const std::string path = file("CS101\nCS999\nCS101 until=never\n");
    const std::string error = refused("--suppressions", path);
    CHECK(error.find(path + ":2: 'CS999'") != std::string::npos);
    CHECK(error.find("(and 1 more such line") != std::string::npos);
    CHECK(refused("--suppressions", root.path()).find("not a regular file") != std::string::npos);
    CHECK(refused("--suppressions", "/dev/zero").find("not a regular file") != std::string::npos);
    CHECK(refused("--suppressions", root.path() + "/nothing").find("No such file") != std::string::npos);
    root.set_fifo("pipe");
    CHECK(refused("--suppressions", root.file("pipe")).find("not a regular file") != std::string::npos);
}
