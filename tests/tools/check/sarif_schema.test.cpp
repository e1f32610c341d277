// SPDX-License-Identifier: BSL-1.0
// The logs of the tool against the JSON schema of SARIF 2.1.0, which CMake has looked for, as for a Python.
#include "support/fake_root.hpp"
#include "support/temporary_directory.hpp"
#include "tools/check/check_program.hpp"

#include <closeside/host/key.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

using nlohmann::json;
using tests::check, tests::fake_root, tests::program_result;

namespace {

/// The logs that were printed, in files.
class logs {
public:
    void add(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--format", "sarif"});
        const program_result r = check(std::move(arguments));
        CHECK(r.status <= 2);
        files_.push_back(directory_.write(std::to_string(files_.size()) + ".sarif", r.out));
        const json log = json::parse(r.out);
        for (const json& result : log.at("runs").at(0).at("results"))
            codes_.insert(result.at("ruleId").get<std::string>());
    }
    void add_text(const std::string& log) { files_.push_back(directory_.write("written.sarif", log)); }

    const std::set<std::string>& codes() const { return codes_; }

    /// Empty if all are valid.
    program_result judge() const {
        std::vector<std::string> arguments{PYTHON3, CHECK_TESTS "/validate_json.py", SARIF_SCHEMA};
        arguments.insert(arguments.end(), files_.begin(), files_.end());
        return tests::run_program(std::move(arguments));
    }

private:
    tests::temporary_directory directory_;
    std::vector<std::string> files_;
    std::set<std::string> codes_;
};

bool cannot_judge() {
    const bool missing = std::string(PYTHON3).empty() || std::string(SARIF_SCHEMA).empty() ||
                         tests::run_program({PYTHON3, CHECK_TESTS "/validate_json.py", SARIF_SCHEMA}).status == 77;
    if (missing)
        MESSAGE("SKIPPED: no schema of SARIF (quickstart.sh fetches it), or no Python with jsonschema "
                "(Debian: python3-jsonschema)");
    return missing;
}

std::string every_key_at(const std::string& value) {
    std::string text;
    for (const closeside::host::key k : closeside::host::all_keys)
        text += std::string(to_string(k)) + " = " + value + "\n";
    return text;
}

} // namespace

TEST_CASE("every log of lint and config is valid by the schema of SARIF 2.1.0") {
    if (cannot_judge()) return;
    logs all;
    fake_root files = fake_root::empty();
    const auto file = [&](const std::string& name, const std::string& content) {
        files.add(name, content);
        return files.path() + "/" + name;
    };
    all.add({"lint", "--kernel", "6.18", file("faultless.conf", "net.ipv4.tcp_syncookies = 1\n")});
    for (const char* const value : {"0", "1", "2", "5", "100", "4096", "99999999", "-1", "x", "1 2", "1024 65535"}) {
        const std::string odd = file("every key.conf", every_key_at(value));
        for (const char* const kernel : {"3.10", "4.4", "5.10", "6.18"})
            all.add({"lint", "--kernel", kernel, "--exposure", "nat", odd});
    }
    // A good part of the rules, or the values are not what they were chosen for.
    CHECK(all.codes().size() > 25);
    const std::string strange = "\xef\xbb\xbfnet.ipv4.tcp_rfc1337 = 1\r\nnet.ipv4.tcp_tw_recycle = \xff\x01\"\n"
                                "net.ipv4.nonsense = 1\nno setting\n= 3\nnet..ipv4 = 1\nnet.ipv4.tcp_rmem = 1\n";
    for (const char* const name : {"per%cent.conf", "que?ry#part.conf", "two\nlines.conf", "\"quoted\" \\ [a].conf",
                                   "\xc3\xbc"
                                   "ber.conf",
                                   "no\xfftext.conf", "-dash.conf", "a:b.conf"})
        all.add({"lint", "--kernel", "4.4", file(name, strange)});
    std::vector<std::string> ignored{"lint", "--kernel", "4.4", file("every key.conf", every_key_at("0"))};
    for (const std::string& code : all.codes()) {
        const bool with_reason = code.back() % 2 == 0;
        ignored.insert(ignored.end(), {"--ignore", with_reason ? code + ",reason=\"old\" \xc3\xbc" : code});
    }
    all.add(ignored);

    fake_root host;
    host.defaults().set("net.ipv4.tcp_fin_timeout", "30").add("run/systemd/system/.keep", "");
    all.add({"config", "--root", host.path()});
    host.add("etc/sysctl.d/10 a%.conf", strange).add("etc/sysctl.d/20-b.conf", every_key_at("1"));
    host.add("etc/sysctl.conf", "net.ipv4.tcp_fin_timeout = 20\n");
    std::filesystem::create_symlink("/nowhere", host.path() + "/etc/sysctl.d/30-dangling.conf");
    std::filesystem::create_symlink("40-loop.conf", host.path() + "/etc/sysctl.d/40-loop.conf");
    std::filesystem::create_directory(host.path() + "/etc/sysctl.d/50-directory.conf");
    CHECK(::mkfifo((host.path() + "/etc/sysctl.d/60-fifo.conf").c_str(), 0644) == 0);
    host.add("etc/sysctl.d/70-large.conf", std::string(2'000'000, '#'));
    all.add({"config", "--root", host.path()});
    all.add({"config", "--root", host.path() + "/"});

    const program_result r = all.judge();
    CHECK(r.out + r.err == "");
    CHECK(r.status == 0);
}

TEST_CASE("the schema of SARIF is one that refuses what is no log") {
    if (cannot_judge()) return;
    for (const char* const wrong : {R"({"version": "2.0.0", "runs": []})", R"({"version": "2.1.0"})",
                                    R"({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}},
              "results": [{"message": {"text": "x"}, "level": "critical"}]}]})"}) {
        logs one;
        one.add_text(wrong);
        CHECK(one.judge().status == 1);
    }
}
