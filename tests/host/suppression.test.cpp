// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/suppression.hpp>

#include "support/fake_root.hpp"
#include "support/in_child.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>

namespace host = closeside::host;
using namespace std::chrono_literals;
using tests::fake_root;

namespace {

constexpr std::chrono::sys_days last_of_march{2027y / 3 / 31};

/// The one problem of a text; "none" if it has none, "several" if it has more.
std::string problem_of(std::string_view text) {
    const auto found = host::detail::parse_suppressions(text, "accepted");
    return found.problems.empty() ? "none" : found.problems.size() == 1 ? found.problems[0] : "several";
}

} // namespace

TEST_CASE("a date is read only in the form YYYY-MM-DD, and only if the calendar has it") {
    CHECK(host::detail::parse_date("2027-03-31") == last_of_march);
    CHECK(host::detail::parse_date("2028-02-29") == std::chrono::sys_days{2028y / 2 / 29});
    for (const char* wrong : {"", "2027-3-31", "2027-02-29", "2027-13-01", "2027-00-10", "2027-01-00", "0000-01-01",
                              "31.03.2027", "2027-03-31T", "2027/03/31", "+027-03-31", "2027--3-31", "2027-03-3 "}) {
        CAPTURE(wrong);
        CHECK_FALSE(host::detail::parse_date(wrong));
    }
    for (const char* date : {"2027-03-31", "0007-01-09"})
        CHECK(host::detail::format_date(*host::detail::parse_date(date)) == date);
}

TEST_CASE("a line of suppressions holds a code, the last day, and a reason") {
    const auto found = host::detail::parse_suppressions("# accepted on this host\n"
                                                        "\n"
                                                        "CS101\n"
                                                        "CS102 until=2027-03-31\n"
                                                        "  CS103\tuntil=2027-03-31   old kernel, see #12  \r\n"
                                                        "CS104 a reason = a reason\n"
                                                        "   # CS105\n"
                                                        "CS106 the last line needs no end",
                                                        "accepted");
    CHECK(found.problems.empty());
    REQUIRE(found.entries.size() == 5);
    CHECK(found.entries[0] == host::suppression{"CS101", {}, ""});
    CHECK(found.entries[1] == host::suppression{"CS102", last_of_march, ""});
    CHECK(found.entries[2] == host::suppression{"CS103", last_of_march, "old kernel, see #12"});
    CHECK(found.entries[3] == host::suppression{"CS104", {}, "a reason = a reason"});
    CHECK(found.entries[4] == host::suppression{"CS106", {}, "the last line needs no end"});
}

TEST_CASE("a wrong line of suppressions is named with file, line, value and cure, and the others hold") {
    const auto found = host::detail::parse_suppressions("CS101\nCS999 why\nCS102\n", "accepted");
    CHECK(found.entries.size() == 2);
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems[0].starts_with("accepted:2: 'CS999' is not the code of a rule"));

    CHECK(problem_of("cs101").starts_with("accepted:1: 'cs101' is not"));
    CHECK(problem_of("CS101 until=2027-02-29") ==
          "accepted:1: 'until=2027-02-29' names no day; write until=YYYY-MM-DD");
    CHECK(problem_of("CS101 until=").find("write until=YYYY-MM-DD") != std::string::npos);
    CHECK(problem_of("CS101 util=2027-03-31").find("'util=2027-03-31'") != std::string::npos);
    // Each of these would hold for good if the end were taken for a part of the reason.
    CHECK(problem_of("CS101 accepted by all until=2027-03-31").find("right behind the code") != std::string::npos);
    CHECK(problem_of("CS101 until=2027-03-31 until=2027-04-30").find("right behind the code") != std::string::npos);
    CHECK(problem_of("\x1b[2J").find("\\x1b[2J") != std::string::npos);
    CHECK(problem_of(std::string(1000, 'x')).size() < 200);
}

TEST_CASE("a suppression holds to the end of its last day, and the one that holds longest counts") {
    const host::suppression s{"CS101", last_of_march, ""};
    CHECK_FALSE(s.has_expired(last_of_march));
    CHECK(s.has_expired(last_of_march + std::chrono::days(1)));
    CHECK_FALSE(host::suppression{"CS101", {}, ""}.has_expired(last_of_march));

    const host::suppression list[] = {
        {"CS101", last_of_march, "first"}, {"CS101", last_of_march + std::chrono::days(1), "longer"},
        {"CS101", last_of_march, "third"}, {"CS102", last_of_march, "with an end"},
        {"CS102", {}, "for good"},         {"CS102", last_of_march, "with an end"}};
    CHECK(host::detail::find_suppression(list, "CS101")->reason == "longer");
    CHECK(host::detail::find_suppression(list, "CS102")->reason == "for good");
    CHECK(host::detail::find_suppression(list, "CS103") == nullptr);
}

TEST_CASE("suppressions are read from a regular file, also through a link, and from nothing else") {
    fake_root root;
    const std::string key = "accepted";
    const std::string path = root.file(key).string();
    const auto only_problem = [&] {
        const auto found = host::read_suppressions(path);
        CHECK(found.entries.empty());
        REQUIRE(found.problems.size() == 1);
        CHECK(found.problems[0].find(path) == 0);
        return found.problems[0].substr(path.size());
    };
    root.set(key, "CS101 a reason");
    CHECK(host::read_suppressions(path).entries.size() == 1);
    root.set("target", "CS102").set_link(key, root.file("target"));
    CHECK(host::read_suppressions(path).entries.at(0).code == "CS102");

    root.remove(key);
    CHECK(only_problem().find("No such file") != std::string::npos);
    root.set_fifo(key);
    CHECK(only_problem().find("not a regular file") != std::string::npos);
    root.set_link(key, "/dev/zero");
    CHECK(only_problem().find("not a regular file") != std::string::npos);
    root.set_link(key, root.path());
    CHECK(only_problem().find("not a regular file") != std::string::npos);
    root.set_raw(key, std::string(65537, '#'));
    CHECK(only_problem().find("too long") != std::string::npos);
    root.set(key, "CS101").set_mode(key, 0);
    CHECK(tests::in_unprivileged_child([&] {
              return host::read_suppressions(path).problems.at(0);
          }).find("Permission denied") != std::string::npos);
}
