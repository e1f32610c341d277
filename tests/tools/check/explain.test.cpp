// SPDX-License-Identifier: BSL-1.0
// Runs the program itself; CLOSESIDE_CHECK is its path, defined by CMake.
#include <closeside/host/counter.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/key.hpp>

#include "support/fake_root.hpp"
#include "support/run_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace host = closeside::host;
using nlohmann::json;
using tests::fake_root;
using tests::program_result;

namespace {

program_result explain(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {CLOSESIDE_CHECK, "explain"});
    return tests::run_program(std::move(arguments), {"TERM=xterm"});
}

json explained(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "json"});
    const program_result r = explain(arguments);
    INFO(r.err);
    REQUIRE(r.status == 0);
    return json::parse(r.out);
}

/// What it prints, without its line breaks and columns.
std::string told(std::vector<std::string> arguments) {
    std::istringstream words(explain(std::move(arguments)).out);
    std::string text;
    for (std::string word; words >> word;) text += word + " ";
    return text;
}

std::multiset<std::string> listed(const char* kind) { return explained({}).at(kind).get<std::multiset<std::string>>(); }

/// A sentence or more, on one line of printable ASCII.
void check_text(const json& document, const char* member) {
    const std::string text = document.at(member);
    INFO(member, ": ", text);
    CHECK_FALSE(text.empty());
    CHECK(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }));
    CHECK(text.find("  ") == text.npos);
}

} // namespace

TEST_CASE("closeside-check explains every key, every code and every counter, and none that does not exist") {
    std::multiset<std::string> keys, codes, counters;
    for (const host::detail::key_facts& f : host::detail::key_table) keys.emplace(f.name);
    for (const host::detail::rule& r : host::detail::rule_table) codes.emplace(r.code);
    for (const host::detail::counter_facts& f : host::detail::counter_table) counters.emplace(f.name);
    CHECK(listed("keys") == keys);
    CHECK(listed("rules") == codes);
    CHECK(listed("counters") == counters);
}

TEST_CASE("the explanation of a key says what it does, since when, what is believed of it and what to do") {
    for (const host::detail::key_facts& f : host::detail::key_table) {
        CAPTURE(f.name);
        const json document = explained({std::string(f.name)});
        CHECK(document.at("kind") == "key");
        CHECK(document.at("name") == f.name);
        for (const char* member : {"does", "since", "default", "scope", "set_by", "belief", "fact", "advice", "source"})
            check_text(document, member);
        CHECK(document.at("rules").is_array());
    }
}

TEST_CASE("the explanation of a code says what it warns of, why, when that is harmless and what to do") {
    for (const host::detail::rule& r : host::detail::rule_table) {
        CAPTURE(r.code);
        const json document = explained({std::string(r.code)});
        CHECK(document.at("kind") == "rule");
        CHECK(document.at("title") == r.title);
        for (const char* member : {"warns", "why", "harmless", "advice"}) check_text(document, member);
        std::vector<std::string> counters;
        for (const host::counter c : r.confirmed_by) counters.emplace_back(to_string(c));
        CHECK(document.at("counters") == counters);
    }
}

TEST_CASE("the explanation of a counter says what is counted, and names the rules that it confirms") {
    for (const host::detail::counter_facts& f : host::detail::counter_table) {
        CAPTURE(f.name);
        const json document = explained({std::string(f.name)});
        CHECK(document.at("name") == f.name);
        for (const char* member : {"counts", "since"}) check_text(document, member);
    }
    const json rules = explained({"PAWSTimewait"}).at("rules");
    CHECK(std::ranges::find(rules, "CS101") != rules.end());
}

TEST_CASE("every topic is explained in labelled paragraphs that fit beside their labels") {
    const std::vector<std::string> topics = explained({}).at("topics");
    for (const char* expected :
         {"time-wait", "takeover", "fin-wait-2", "nat", "recipe", "counters", "counting", "linger", "loaders",
          "endings", "unread", "late-data", "listener-queue", "peer-reset", "time-out", "refused"})
        CHECK(std::ranges::find(topics, expected) != topics.end());
    for (const std::string& topic : topics) {
        CAPTURE(topic);
        const json document = explained({topic});
        CHECK(document.at("name") == topic);
        check_text(document, "title");
        if (topic == "counters") {
            CHECK(document.at("counters").size() == host::all_counters.size());
            continue;
        }
        CHECK(document.at("paragraphs").size() > 4);
        for (const json& p : document.at("paragraphs")) {
            CHECK(p.at("label").get<std::string>().size() <= 8);
            check_text(p, "text");
        }
    }
}

TEST_CASE("closeside-check explain takes a word as it is written anywhere") {
    for (const char* word : {"net.ipv4.tcp_rfc1337", "tcp_rfc1337", "net/ipv4/tcp_rfc1337",
                             "/proc/sys/net/ipv4/tcp_rfc1337", "TCP_RFC1337"})
        CHECK(explained({word}).at("name") == "net.ipv4.tcp_rfc1337");
    CHECK(explained({"somaxconn"}).at("name") == "net.core.somaxconn");
    CHECK(explained({"nf_conntrack_max"}).at("name") == "net.netfilter.nf_conntrack_max");
    for (const char* word : {"CS101", "cs101", "Cs101"}) CHECK(explained({word}).at("code") == "CS101");
    for (const char* word : {"PAWSEstab", "pawsestab", "TcpExtPAWSEstab", "TcpExt:PAWSEstab"})
        CHECK(explained({word}).at("name") == "PAWSEstab");
    for (const char* word : {"time-wait", "TIME-WAIT", "time_wait", "TIME_WAIT", "timewait"})
        CHECK(explained({word}).at("name") == "time-wait");
    for (const char* word : {"fin-wait-2", "FIN_WAIT2", "FIN-WAIT-2"})
        CHECK(explained({word}).at("name") == "fin-wait-2");
    // The counter, and not the state.
    CHECK(explained({"TW"}).at("kind") == "counter");
}

TEST_CASE("an unknown word is refused with the names that are like it") {
    for (const auto& [word, similar] : {std::pair<std::string, std::string>{"tcp_tw_reus", "tcp_tw_reuse"},
                                        {"tcp_rfc1377", "tcp_rfc1337"},
                                        {"net.ipv4.tcp_fin_timout", "tcp_fin_timeout"},
                                        {"timewait2", "time-wait"},
                                        {"CS1O1", "CS101"},
                                        {"reuse", "tcp_tw_reuse"},
                                        {"TCP_LINGER2", "linger"},
                                        {"PAWSTimeWai", "PAWSTimewait"}}) {
        CAPTURE(word);
        const program_result r = explain({word});
        CHECK(r.status == 64);
        CHECK(r.out.empty());
        CHECK(r.err.find(word) != r.err.npos);
        INFO(r.err);
        CHECK(r.err.find(similar) != r.err.npos);
    }
}

TEST_CASE("a word that is like nothing is refused with the way to the list") {
    for (const std::string& word : {std::string("net.ipv4.ip_forward"), std::string("?"), std::string("a\nb"),
                                    std::string(100'000, 'x'), std::string("\xff\xfe")}) {
        const program_result r = explain({word});
        CHECK(r.status == 64);
        CHECK(std::ranges::count(r.err, '\n') == 1);
        CHECK(r.err.size() < 300);
        CHECK(r.err.find("closeside-check explain` lists them") != r.err.npos);
    }
    CHECK(explain({"CS101", "CS102"}).status == 64);
    CHECK(explain({"CS101", "--format", "prometheus"}).status == 64);
    CHECK(explain({"CS101", "--root", ""}).status == 64);
}

TEST_CASE("a key is shown with its value here, and what the audit says of it") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    const json rfc1337 = explained({"tcp_rfc1337", "--root", root.path()}).at("here");
    CHECK(rfc1337.at("status") == "present");
    CHECK(rfc1337.at("value") == "1");
    CHECK(rfc1337.at("file") == root.file("net.ipv4.tcp_rfc1337").string());
    CHECK(rfc1337.at("findings").at(0).at("code") == "CS101");
    CHECK(explained({"cs101", "--root", root.path()}).at("here").at("severity") == "critical");

    const json recycle = explained({"tcp_tw_recycle", "--root", root.path()}).at("here");
    CHECK(recycle.at("status") == "absent");
    CHECK(recycle.at("value") == nullptr);
    CHECK(explained({"CS102", "--root", root.path()}).at("here") == nullptr);

    CHECK(explained({"CS501", "--root", root.path()}).at("here") == nullptr);
    root.add("etc/sysctl.d/60-tutorial.conf", "net.ipv4.tcp_tw_recycle = 1\n");
    CHECK(explained({"CS501", "--root", root.path()}).at("here").at("severity") == "note");

    const std::string text = told({"tcp_rfc1337", "--root", root.path()});
    CHECK(text.find("1, in " + root.file("net.ipv4.tcp_rfc1337").string()) != text.npos);
    CHECK(text.find("CS101 critical") != text.npos);
}

TEST_CASE("an explanation does not need a host to look at") {
    const fake_root root = fake_root::empty();
    const std::string unseen = "nothing can be read (No such file or directory)";
    for (const std::string word : {"tcp_rfc1337", "CS101", "PAWSEstab"}) {
        CAPTURE(word);
        CHECK(explain({word, "--root", root.path()}).status == 0);
        CHECK(told({word, "--root", root.path()}).find(unseen) != std::string::npos);
    }
    CHECK(explained({"tcp_rfc1337", "--root", root.path()}).at("here").at("status") == nullptr);
    CHECK(explained({"time-wait", "--root", root.path()}).at("kind") == "topic");
}

TEST_CASE("every key that a finding names is among the keys of its explanation") {
    fake_root root;
    root.defaults();
    // Each of these wakes several rules.
    for (const auto& [key, value] : {std::pair{"net.ipv4.tcp_rfc1337", "1"},
                                     {"net.ipv4.tcp_fin_timeout", "70"},
                                     {"net.ipv4.tcp_timestamps", "0"},
                                     {"net.ipv4.tcp_tw_reuse", "1"},
                                     {"net.ipv4.tcp_max_tw_buckets", "100"},
                                     {"net.ipv4.tcp_orphan_retries", "1"},
                                     {"net.ipv4.tcp_max_orphans", "10"},
                                     {"net.ipv4.tcp_syncookies", "0"},
                                     {"net.ipv4.tcp_abort_on_overflow", "1"},
                                     {"net.core.somaxconn", "16"},
                                     {"net.ipv4.ip_local_port_range", "1024\t1100"},
                                     {"net.ipv4.ip_autobind_reuse", "1"},
                                     {"net.ipv4.tcp_retries2", "3"},
                                     {"net.ipv4.tcp_syn_retries", "1"},
                                     {"net.ipv4.tcp_synack_retries", "0"},
                                     {"net.netfilter.nf_conntrack_max", "100"},
                                     {"net.netfilter.nf_conntrack_count", "100"},
                                     {"net.netfilter.nf_conntrack_tcp_loose", "0"},
                                     {"net.netfilter.nf_conntrack_tcp_be_liberal", "0"},
                                     {"net.netfilter.nf_conntrack_tcp_timeout_time_wait", "30"}})
        root.set(key, value);
    const program_result r =
        tests::run_program({CLOSESIDE_CHECK, "--root", root.path(), "--format", "json"}, {"TERM=xterm"});
    const json findings = json::parse(r.out).at("findings");
    CHECK(findings.size() > 10);
    for (const json& f : findings) {
        const std::set<std::string> explained_keys = explained({f.at("code")}).at("keys");
        // None named: any key can be.
        if (explained_keys.empty()) continue;
        for (const std::string key : f.at("keys")) {
            CAPTURE(f.at("code"));
            CAPTURE(key);
            CHECK(explained_keys.count(key) == 1);
        }
    }
}

TEST_CASE("the explanations in text keep to 100 columns off a terminal and know no colours there") {
    std::vector<std::string> words{"", "counters", "recipe", "takeover", "tcp_tw_reuse", "CS101", "PAWSEstab"};
    for (const std::string& word : words) {
        const program_result r = explain(word.empty() ? std::vector<std::string>{} : std::vector<std::string>{word});
        CAPTURE(word);
        CHECK(r.status == 0);
        CHECK(r.out.find('\x1b') == r.out.npos);
        std::istringstream lines(r.out);
        for (std::string line; std::getline(lines, line);) {
            CAPTURE(line);
            CHECK(line.size() <= 100);
            CHECK_FALSE(line.ends_with(' '));
        }
    }
}
