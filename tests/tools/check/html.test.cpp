// SPDX-License-Identifier: BSL-1.0
// CHROMIUM is the path of that browser, defined by CMake; empty if it is not installed.
#include "observation/program.hpp"
#include "support/fake_root.hpp"
#include "support/temporary_directory.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

using tests::check;
using tests::fake_root;
using tests::program_result;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// A host of which every part of the page has something to tell, and whose files hold markup.
struct shown_host {
    shown_host() {
        root.defaults().kernel("6.18.0 <script>alert('x')</script>").set("net.ipv4.tcp_rfc1337", "1");
        root.set("net.ipv4.tcp_syncookies", "0").set("net.ipv4.tcp_fin_timeout", "20").conntrack_defaults();
        root.set("net.ipv4.ip_local_reserved_ports", "8080</td><img src=x onerror=alert(1)>");
        root.add("proc/net/sockstat", "sockets: used 9\nTCP: inuse 5 orphan 1 tw 7 alloc 8 mem 2\n");
        root.add("etc/sysctl.d/\"><b>.conf", "net.ipv4.tcp_fin_timeout = 30&lt;\n");
    }

    std::string page(std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"--format", "html"});
        const program_result r = check(root, more);
        CHECK(r.status == 2);
        CHECK(r.err.empty());
        return r.out;
    }

    fake_root root;
};

/// The elements still open where the page ends; a closing tag that does not fit fails the test.
std::vector<std::string> open_elements(const std::string& page) {
    const std::regex tag("<(/?)([a-z][a-z0-9]*)((?: [a-z-]+(?:=\"[^\"<>]*\")?)*)>");
    std::vector<std::string> open;
    std::size_t tags = 0;
    for (std::sregex_iterator t(page.begin(), page.end(), tag), end; t != end; ++t, ++tags) {
        const std::string name = (*t)[2];
        if (name == "meta") continue;
        if ((*t)[1].length() == 0) {
            open.push_back(name);
            continue;
        }
        CAPTURE(t->position());
        REQUIRE_FALSE(open.empty());
        CHECK(open.back() == name);
        open.pop_back();
    }
    // Every `<` but that of the document type begins such a tag.
    CHECK(tags + 1 == static_cast<std::size_t>(std::count(page.begin(), page.end(), '<')));
    return open;
}

} // namespace

TEST_CASE_FIXTURE(shown_host, "--format html is one whole page without script, link or picture") {
    const std::string out = page({"--ignore", "CS201,reason=known"});
    CHECK(out.starts_with("<!DOCTYPE html>\n"));
    CHECK(out.ends_with("</html>\n"));
    CHECK(open_elements(out).empty());
    for (const char* foreign :
         {"<script", "<img", "<link", "src=", "href=", "url(", "http://", "https://", "@import"}) {
        CAPTURE(std::string(foreign));
        const std::string markup = std::regex_replace(out, std::regex(">[^<]*<"), "><");
        CHECK_FALSE(has(markup, foreign));
    }
    CHECK(has(out, "<meta name=\"viewport\" content=\"width=device-width"));
    CHECK(has(out, "default-src 'none'"));
}

TEST_CASE_FIXTURE(shown_host, "the page has findings, sockets, capacity and values, and folds what holds on any host") {
    const std::string out = page({"--ignore", "CS201,reason=known"});
    CHECK(has(out, "<article id=\"CS101\" class=\"critical\">"));
    CHECK(has(out, "<article id=\"CS201\" class=\"warning ignored\">"));
    CHECK(has(out, "<li class=\"critical\"><b>1</b> critical</li><li class=\"warning\"><b>"));
    CHECK(has(out, "<code>sysctl -w net.ipv4.tcp_rfc1337=0</code>"));
    CHECK(has(out, "<tr><td>TIME-WAIT</td><td class=\"n\">7</td></tr>"));
    CHECK(has(out, "<tr><td>local ports to connect from</td><td class=\"n\">"));
    CHECK(has(out, "<tr><td>net.ipv4.tcp_rfc1337</td><td>1</td></tr>"));
    CHECK(has(out, "<tr><td>net.ipv4.tcp_tw_recycle</td><td>(absent)</td></tr>"));
    CHECK(out.find("<details>") < out.find("<article id=\"CS109\""));
    CHECK(out.find("<article id=\"CS101\"") < out.find("<details>"));
    CHECK_FALSE(has(out, "Connections that ended"));
}

TEST_CASE_FIXTURE(shown_host, "what stands in a file of the host is text on the page") {
    const std::string out = page();
    CHECK(has(out, "6.18.0 &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    root.kernel("\x1b[31m\xff\t");
    CHECK(has(page(), "\\x1b[31m\\xff"));
    for (const char byte : page()) CHECK((byte == '\n' || (byte >= ' ' && byte <= '~')));
}

TEST_CASE_FIXTURE(shown_host, "--endings adds the last of the connections that ended, the newest first") {
    const tests::temporary_directory directory;
    std::string lines;
    for (int i = 0; i != 450; ++i)
        lines += "{\"time\":\"2026-11-27T00:00:00Z\",\"local\":\"[2001:db8::1]:" + std::to_string(i) +
                 "\",\"peer\":\"<i>\",\"ended_by\":\"fin\",\"reason\":\"done\",\"first_fin\":null,\"states\":[]}\n";
    const std::string file = directory.write("endings.jsonl", lines + "[1]\nnonsense\n\n{\"local\":1}\n{\"time\":\"20");
    const std::string out = page({"--endings", file});
    CHECK(open_elements(out).empty());
    CHECK(has(out, "Connections that ended"));
    CHECK(has(out, "<td>[2001:db8::1]:449</td><td>&lt;i&gt;</td><td>fin</td><td>done</td>"));
    CHECK(out.find("::1]:449<") < out.find("::1]:448<"));
    CHECK(has(out, "::1]:250<"));
    CHECK_FALSE(has(out, "::1]:249<"));
    CHECK(has(out, "450 endings, the last 200 are shown; 4 lines of the file are none"));

    const program_result missing = check(root, {"--format", "html", "--endings", directory.path("none")});
    CHECK(missing.status == 70);
    CHECK(has(missing.err, "cannot read the endings in '" + directory.path("none") + "': No such file"));
    CHECK(check(root, {"--endings", file}).status == 64);
    CHECK(check(root, {"--format", "html", "--against", file}).status == 64);
}

TEST_CASE_FIXTURE(shown_host, "a browser as narrow as a phone shows the whole page, and has no error to tell") {
    if (std::string_view(CHROMIUM).empty()) {
        MESSAGE("SKIPPED: chromium is not installed");
        return;
    }
    const tests::temporary_directory directory;
    directory.write("page.html", page());
    // The page has no script; this one looks at it from around it.
    const std::string around = directory.write("around.html", R"(<!DOCTYPE html><title>around</title>
<iframe id="page" src="page.html" width="390" height="800"></iframe>
<script>
document.getElementById("page").onload = event => {
  const page = event.target.contentDocument, root = page.documentElement;
  const told = [root.scrollWidth <= root.clientWidth, root.clientWidth < 400, page.scripts.length, page.images.length,
                page.querySelector("#CS101 b").textContent, page.querySelector("h1").textContent.split(" ")[0]];
  document.body.insertAdjacentHTML("beforeend", "<p>" + told.join("|") + "</p>");
};
</script>
)");
    const program_result r = observation::run_program(
        {CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + directory.path("profile"),
         "--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom",
         "file://" + around},
        {.environment = std::vector<std::string>{"PATH=/usr/bin:/bin", "HOME=" + directory.path(".")},
         .limit = std::chrono::seconds(60)});
    CAPTURE(r.err);
    CHECK(r.status == 0);
    CHECK(has(r.out, "<p>true|true|0|0|CS101 critical|TCP</p>"));
    CHECK_FALSE(has(r.err, "CONSOLE"));
}
