// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/sysctl_d/script_lines.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace sysctl_d = closeside::host::detail::sysctl_d;

namespace {

using strings = std::vector<std::string>;

/// `3: key=value`
strings settings_of(std::string_view script) {
    strings all;
    sysctl_d::script_lines lines(script);
    while (const auto found = lines.next())
        all.push_back(std::to_string(found->number) + ": " + std::string(found->key) + "=" + std::string(found->value));
    return all;
}

} // namespace

TEST_CASE("every command of a line of a script is looked at") {
    CHECK(settings_of("sysctl -w a.b=1; /sbin/sysctl -q -w c.d=2 && sysctl e.f=3\n") ==
          strings{"1: a.b=1", "1: c.d=2", "1: e.f=3"});
    CHECK(settings_of("[ -d /proc ] && sysctl -w a.b=1 2>/dev/null || true\n") == strings{"1: a.b=1"});
    CHECK(settings_of("\nif true; then sudo -E sysctl -w a.b=1; fi # c.d=2\n") == strings{"2: a.b=1"});
    CHECK(settings_of("LC_ALL=C sysctl -w a.b=1\nsh -c 'sysctl -w c.d=2; echo 3 > /proc/sys/e/f'\n") ==
          strings{"1: a.b=1", "2: c.d=2", "2: e/f=3"});
    CHECK(settings_of("echo a.b=1; true c.d=2\n").empty());
}

TEST_CASE("a command of a script goes on behind a backslash") {
    CHECK(settings_of("sysctl -w \\\r\n  a.b=1 \\\n  c.d='2 3' ; true\n  e.f=4\n") ==
          strings{"2: a.b=1", "3: c.d=2 3"});
    CHECK(settings_of("# sysctl \\\n a.b=1\n").empty());
}

TEST_CASE("what a script prints into a key, or into a file for sysctl, is a setting") {
    CHECK(settings_of("echo 1 > /proc/sys/a/b 2>/dev/null\necho \"2\">/proc/sys/c/d\n"
                      "echo e.f=3>>/etc/sysctl.conf\n") == strings{"1: a/b=1", "2: c/d=2", "3: e.f=3"});
    CHECK(settings_of("echo 1 | sudo tee /proc/sys/a/b > /dev/null\necho 2 | cat\ntee /proc/sys/c/d\n") ==
          strings{"1: a/b=1"});
    CHECK(settings_of("echo 'a.b = 1' >> /etc/sysctl.conf\nprintf 'c.d=2\\ne.f=3\\n' > /etc/sysctl.d/9.conf\n") ==
          strings{"1: a.b=1", "2: c.d=2", "2: e.f=3"});
    CHECK(settings_of("echo 'a.b = 1' >> /etc/my.cnf\n").empty());
    CHECK(settings_of("cat > /etc/sysctl.d/9.conf <<'EOF'\n# x\na.b = 1\n\tc.d=2\nEOF\ne.f=3\n") ==
          strings{"3: a.b=1", "4: c.d=2"});
    CHECK(settings_of("cat <<-END | sudo tee -a /etc/sysctl.conf\n\ta.b = 1\n\tEND\nsysctl -w c.d=2\n") ==
          strings{"2: a.b=1", "4: c.d=2"});
    CHECK(settings_of("cat > nginx.conf << X\na.b = 1\nX\nsysctl -w c.d=2\n") == strings{"4: c.d=2"});
}

TEST_CASE("what a variable brings into a script is not known, and nothing is made of it") {
    CHECK(settings_of("sysctl -w a.b=$N c.d=2 $E=3\necho `nproc` > /proc/sys/a/b\n") == strings{"1: c.d=2"});
}

TEST_CASE("of several files that a script prints into the last gets the text, and tee's share it up to a bound") {
    CHECK(settings_of("echo 1 > /proc/sys/a/b > /proc/sys/c/d\n") == strings{"1: c/d=1"});
    CHECK(settings_of("echo 1 | tee /proc/sys/a/b /proc/sys/c/d\n") == strings{"1: a/b=1", "1: c/d=1"});
    // Otherwise a line of a megabyte would come to thousands of copies of half of it.
    std::string files;
    for (int i = 0; i != 1000; ++i) files += " /proc/sys/a/b";
    CHECK(settings_of("echo 1 | tee" + files + "\n").size() == 16);
}
