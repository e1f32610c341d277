// SPDX-License-Identifier: BSL-1.0
#include "support/fake_root.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

using nlohmann::json;
using tests::check;
using tests::fake_root;
using tests::program_result;

namespace {

constexpr std::string_view tutorial = "net.ipv4.tcp_syncookies = 1\n"
                                      "net.ipv4.tcp_tw_reuse = 1\n"
                                      "net.ipv4.tcp_tw_recycle = 1\n"
                                      "net.ipv4.tcp_fin_timeout = 30\n";

/// Files in a directory of their own.
class linted {
public:
    linted& add(const std::string& name, std::string_view content) {
        root_->add(name, content);
        files_.push_back(root_->path() + "/" + name);
        return *this;
    }

    program_result run(const std::string& kernel, std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{"lint"};
        arguments.insert(arguments.end(), files_.begin(), files_.end());
        if (!kernel.empty()) more.insert(more.end(), {"--kernel", kernel});
        arguments.insert(arguments.end(), more.begin(), more.end());
        return check(std::move(arguments));
    }

    json as_json(const std::string& kernel, std::vector<std::string> more = {}) const {
        more.insert(more.end(), {"--format", "json"});
        return json::parse(run(kernel, std::move(more)).out);
    }

    std::string file(std::size_t i = 0) const { return files_.at(i); }

private:
    std::shared_ptr<fake_root> root_{new fake_root(fake_root::empty())};
    std::vector<std::string> files_;
};

json lint_text(std::string_view content, const std::string& kernel = "6.18") {
    return linted().add("x.conf", content).as_json(kernel);
}

json problem(const json& document, std::string_view kind) {
    for (const json& p : document.at("problems"))
        if (p.at("kind") == kind) return p;
    return nullptr;
}

json line(const json& document, unsigned number) {
    for (const json& l : document.at("lines"))
        if (l.at("line") == number) return l;
    return nullptr;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("the four lines of the tutorials lock clients out on old kernels, and are told one by one") {
    const linted files = linted().add("etc/sysctl.conf", tutorial);
    for (const char* const kernel : {"3.10.0-1160.el7.x86_64", "4.4.0-210-generic"}) {
        CAPTURE(kernel);
        const json all = files.as_json(kernel);
        CHECK(files.run(kernel).status == 2);
        const json recycle = tests::finding(all, "CS102");
        REQUIRE(recycle.is_object());
        CHECK(recycle.at("severity") == "critical");
        CHECK(recycle.at("line") == 3);
        CHECK(recycle.at("fix") == "In " + files.file() + ":3 write `net.ipv4.tcp_tw_recycle = 0`");
        CHECK(problem(all, "removed-key").is_null());
        CHECK(all.at("values").at("net.ipv4.tcp_tw_recycle").at("value") == "1");
        CHECK(line(all, 1).at("changes") == false);
        CHECK(line(all, 2).at("default") == "0");
        CHECK(line(all, 2).at("changes") == true);
        CHECK(line(all, 3).at("shown") == "1");
    }
}

TEST_CASE("on kernels without tcp_tw_recycle its line is dead, and the others are what they were") {
    const linted files = linted().add("etc/sysctl.conf", tutorial);
    for (const char* const kernel : {"5.10.0-8-amd64", "6.18"}) {
        CAPTURE(kernel);
        const json all = files.as_json(kernel);
        CHECK(files.run(kernel).status == 1);
        CHECK(tests::finding(all, "CS102").is_null());
        const json removed = problem(all, "removed-key");
        REQUIRE(removed.is_object());
        CHECK(removed.at("line") == 3);
        CHECK(has(removed.at("text"), "Linux 4.12 has removed this key"));
        CHECK(all.at("values").at("net.ipv4.tcp_tw_recycle").at("status") == "absent");
        CHECK(line(all, 1).at("changes") == false);
        CHECK(line(all, 2).at("default") == "2");
        CHECK(line(all, 3).at("default").is_null());
        CHECK(has(line(all, 3).at("verdict"), "has no such key"));
        CHECK(line(all, 4).at("default") == "60");
        CHECK(has(line(all, 4).at("fact"), "TIME-WAIT lasts 60 s whatever this says"));
        CHECK(tests::finding(all, "CS110").at("line") == 4);
    }
}

TEST_CASE("lint tells in words what each line does, beside its file and number") {
    const linted files = linted().add("etc/sysctl.conf", tutorial);
    const std::string text = files.run("5.10").out;
    for (const char* const words :
         {"sysctl.conf:1: net.ipv4.tcp_syncookies = 1\n", "sysctl.conf:2: net.ipv4.tcp_tw_reuse = 1\n",
          "sysctl.conf:3: net.ipv4.tcp_tw_recycle = 1\n", "sysctl.conf:4: net.ipv4.tcp_fin_timeout = 30\n",
          "the line changes nothing", "CS501 warning ", "Delete the line"})
        CHECK_MESSAGE(has(text, words), words);
    CHECK(text.ends_with("0 critical, 1 warning, 2 notes\n"));
}

TEST_CASE("a file that sets nothing, and one that sets every default, are found faultless on every kernel") {
    for (const char* const kernel : {"3.10", "4.4", "4.18.0-553.el8.x86_64", "5.10", "6.1.0-28-amd64", "6.18"}) {
        CAPTURE(kernel);
        const json nothing = lint_text("# nothing\n", kernel);
        CHECK(nothing.at("findings").empty());
        CHECK(nothing.at("problems").empty());
        std::string defaults;
        for (const auto& [key, value] : nothing.at("values").items())
            if (value.at("value").is_string()) defaults += key + " = " + value.at("value").get<std::string>() + "\n";
        const json same = lint_text(defaults, kernel);
        CHECK(same.at("findings").empty());
        CHECK(same.at("problems").empty());
        CHECK(same.at("values") == nothing.at("values"));
        for (const json& l : same.at("lines")) CHECK(l.at("changes") == false);
    }
}

TEST_CASE("a key of a later kernel is dead on an earlier one") {
    const json before = lint_text("net.ipv4.tcp_tw_reuse_delay = 500\n", "6.13");
    CHECK(problem(before, "future-key").at("line") == 1);
    CHECK(has(problem(before, "future-key").at("text"), "since Linux 6.14"));
    CHECK(problem(lint_text("net.ipv4.tcp_tw_reuse_delay = 500\n", "6.14"), "future-key").is_null());
}

TEST_CASE("values are refused as that kernel would refuse them") {
    CHECK(problem(lint_text("net.ipv4.tcp_syncookies = 256\n", "6.18"), "refused-value").is_object());
    CHECK(problem(lint_text("net.ipv4.tcp_syncookies = 256\n", "4.4"), "refused-value").is_null());
    CHECK(problem(lint_text("net.ipv4.tcp_tw_reuse = 3\n", "4.18"), "refused-value").is_object());
    CHECK(problem(lint_text("net.ipv4.tcp_tw_reuse = 3\n", "4.17"), "refused-value").is_null());
    CHECK(problem(lint_text("net.ipv4.ip_local_port_range = 80 443\n", "6.18"), "refused-value").is_object());
    CHECK(problem(lint_text("net.ipv4.ip_local_port_range = 80 443\n", "4.4"), "refused-value").is_null());
    const json quoted = problem(lint_text("net.ipv4.tcp_rmem = \"4096 87380 6291456\"\n"), "refused-value");
    CHECK(has(quoted.at("text"), "in quotes"));
    const json lone = lint_text("net.ipv4.tcp_mem = 1000\n");
    CHECK(problem(lone, "refused-value").is_null());
    CHECK(lone.at("values").at("net.ipv4.tcp_mem").at("value") == "1000\t383869\t575802");
}

TEST_CASE("misspelt keys are told with the one that is meant, keys of other subjects are let alone") {
    const json all = lint_text("net.ipv4.tcp_fin_timeot = 30\nnet.ipv4.tcp_retries1 = 3\nvm.swappiness = 1\n"
                               "net.ipv4.conf.eth0/100.rp_filter = 1\nnet.ipv4.conf.all.rp_filter = 1\n");
    REQUIRE(all.at("problems").size() == 1);
    CHECK(problem(all, "unknown-key").at("line") == 1);
    CHECK(has(problem(all, "unknown-key").at("text"), "net.ipv4.tcp_fin_timeout is near to it"));
}

TEST_CASE("of several files the later one decides, and the line that lost says so") {
    linted files;
    files.add("10.conf", "net.ipv4.tcp_rfc1337 = 1\n").add("20.conf", "\nnet.ipv4.tcp_rfc1337 = 0\n");
    const json all = files.as_json("6.18");
    CHECK(tests::finding(all, "CS101").is_null());
    CHECK(has(line(all, 1).at("verdict"), files.file(1) + ":2"));
    linted reversed;
    reversed.add("20.conf", "\nnet.ipv4.tcp_rfc1337 = 0\n").add("10.conf", "net.ipv4.tcp_rfc1337 = 1\n");
    const json found = tests::finding(reversed.as_json("6.18"), "CS101");
    CHECK(found.at("file") == reversed.file(1));
    CHECK(found.at("severity") == "critical");
}

TEST_CASE("the assumptions, suppressions and the severity that counts are those of the check") {
    linted files;
    files.add("x.conf", "net.ipv4.tcp_rfc1337 = 1\n");
    CHECK(files.run("6.18").status == 2);
    CHECK(files.run("6.18", {"--assume", "abort"}).status == 0);
    CHECK(files.run("6.18", {"--ignore", "CS101,reason=known"}).status == 0);
    CHECK(tests::finding(files.as_json("6.18", {"--ignore", "CS101"}), "CS101").at("suppressed") == true);

    linted note;
    note.add("x.conf", "net.ipv4.tcp_fin_timeout = 30\n");
    CHECK(note.run("6.18").status == 0);
    CHECK(note.run("6.18", {"--fail-on", "note"}).status == 1);
    CHECK(files.run("6.18", {"--fail-on", "critical"}).status == 2);
    CHECK(linted().add("x.conf", tutorial).run("6.18", {"--fail-on", "critical"}).status == 0);
    CHECK(note.run("6.18", {"--fail-on", "error"}).status == 64);
}

TEST_CASE("a dump of sysctl -a tells its own kernel, and its lines at defaults stay out of the text") {
    linted dump;
    std::string text = "kernel.osrelease = 4.4.0-210-generic\nnet.ipv4.tcp_tw_recycle = 1\n"
                       "net.ipv4.tcp_mem = 21069\t28092\t42138\nnet.netfilter.nf_conntrack_count = 12\n";
    for (const char* const key : {"syncookies = 1", "fin_timeout = 60", "rfc1337 = 0", "orphan_retries = 0",
                                  "syn_retries = 6", "synack_retries = 5", "retries2 = 15", "timestamps = 1",
                                  "keepalive_time = 7200", "keepalive_intvl = 75", "keepalive_probes = 9"})
        for (const char* const again : {"", "\n", "\n\n"}) text += "net.ipv4.tcp_" + std::string(key) + again + "\n";
    dump.add("dump.txt", text);
    const json all = dump.as_json("");
    CHECK(all.at("kernel") == "4.4.0-210-generic");
    CHECK(tests::finding(all, "CS102").at("line") == 2);
    CHECK(all.at("values").at("net.ipv4.tcp_mem").at("value") == "21069\t28092\t42138");
    CHECK(all.at("values").at("net.netfilter.nf_conntrack_count").at("value") == "12");
    CHECK_FALSE(has(dump.run("").out, "tcp_keepalive_probes"));
    CHECK(has(dump.run("", {"-v"}).out, "tcp_keepalive_probes"));
}

TEST_CASE("a script's sysctl -w and echo are read at the lines of their commands") {
    linted script;
    script.add("tune.sh", "#!/bin/sh\nset -e\nsudo sysctl -w net.ipv4.tcp_rfc1337=1 net.ipv4.tcp_syncookies=0; true\n"
                          "/sbin/sysctl -q -w \"net.ipv4.ip_local_port_range=1024 65000\"\n"
                          "echo 30 > /proc/sys/net/ipv4/tcp_fin_timeout # half\nsysctl -p\n");
    const json all = script.as_json("6.18");
    CHECK(tests::finding(all, "CS101").at("line") == 3);
    CHECK(all.at("values").at("net.ipv4.tcp_syncookies").at("value") == "0");
    CHECK(all.at("values").at("net.ipv4.ip_local_port_range").at("value") == "1024\t65000");
    CHECK(line(all, 5).at("shown") == "30");
    CHECK(all.at("problems").empty());
    // In a file of settings such a line is a mistake.
    CHECK(problem(lint_text("sysctl -w net.ipv4.tcp_rfc1337=1\n"), "malformed-key").at("line") == 1);
}

TEST_CASE("what cannot be linted is said in one line, with what to do") {
    linted files;
    files.add("x.conf", "");
    CHECK(files.run("").status == 64);
    CHECK(has(files.run("").err, "--kernel"));
    CHECK(files.run("new").status == 64);
    CHECK(files.run("2.6.32").status == 64);
    CHECK(check({"lint", "--kernel", "6.18"}).status == 64);
    const program_result gone = check({"lint", files.file() + ".gone", "--kernel", "6.18"});
    CHECK(gone.status == 70);
    CHECK(has(gone.err, "No such file"));
    CHECK(check({"lint", "/", "--kernel", "6.18"}).status == 70);
    CHECK(check({"lint", "/dev/zero", "--kernel", "6.18"}).status == 70);
}

TEST_CASE("standard input is a file like others") {
    const program_result r = tests::run_program({"/bin/sh", "-c",
                                                 "printf 'net.ipv4.tcp_rfc1337 = 1\\n' | \"$0\" lint - "
                                                 "--kernel 6.18 --format json",
                                                 CLOSESIDE_CHECK});
    CHECK(r.status == 2);
    CHECK(tests::finding(json::parse(r.out), "CS101").at("file") == "stdin");
}
