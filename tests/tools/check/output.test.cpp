// SPDX-License-Identifier: BSL-1.0
#include "support/fake_root.hpp"
#include "support/in_child.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>

namespace fs = std::filesystem;
using tests::check;
using tests::content;
using tests::fake_root;
using tests::program_result;

namespace {

std::set<std::string> names_in(const fs::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path().filename());
    return names;
}

/// A host to look at, and a directory to write into.
struct host_and_directory {
    host_and_directory() {
        root.defaults().set("net.ipv4.tcp_rfc1337", "1");
        fs::create_directory(directory);
    }

    fake_root root;
    fs::path directory = fs::path(root.path()) / "out";
    fs::path file = directory / "closeside.prom";
};

} // namespace

TEST_CASE_FIXTURE(host_and_directory, "--output writes what would be printed, for all to read, and nothing beside it") {
    for (const char* format : {"text", "json"}) {
        const program_result r = check(root, {"--format", format, "--output", file});
        CHECK(r.status == 2);
        CHECK(r.out.empty());
        CHECK(r.err.empty());
        CHECK(content(file) == check(root, {"--format", format}).out);
        CHECK(names_in(directory) == std::set<std::string>{"closeside.prom"});
    }
    CHECK(check(root, {"--format", "prometheus", "--output", file}).status == 2);
    CHECK(content(file).starts_with("# HELP "));
    const mode_t before = ::umask(077);
    check(root, {"--output", file});
    ::umask(before);
    CHECK((fs::status(file).permissions() & fs::perms::mask) == fs::perms(0644));
}

TEST_CASE_FIXTURE(host_and_directory, "--output replaces the file instead of writing into it") {
    std::ofstream(file) << "old";
    std::ifstream reader(file);
    fs::create_symlink("closeside.prom", directory / "link");
    CHECK(check(root, {"--output", directory / "link"}).status == 2);
    CHECK(std::string(std::istreambuf_iterator<char>(reader), {}) == "old");
    CHECK(content(file).starts_with("Linux"));
    CHECK(fs::is_symlink(directory / "link"));
}

TEST_CASE_FIXTURE(host_and_directory, "--output that cannot be written ends with 70 and a line, and leaves nothing") {
    const auto refused = [&](const fs::path& path) {
        const program_result r = check(root, {"--output", path});
        CAPTURE(r.err);
        CHECK(r.status == 70);
        CHECK(r.out.empty());
        CHECK(r.err.starts_with("closeside-check: cannot write '" + path.string() + "': "));
        CHECK(r.err.find('\n') == r.err.size() - 1);
        return r.err;
    };
    CHECK(refused(directory / "none/closeside.prom").find("No such file") != std::string::npos);
    CHECK(refused(directory).find("not a regular file") != std::string::npos);
    CHECK(refused(directory / "name/").find("directory") != std::string::npos);
    CHECK(refused("/dev/null").find("not a regular file") != std::string::npos);
    CHECK(fs::is_character_file("/dev/null"));
    fs::create_symlink("nothing", directory / "dangling");
    CHECK(refused(directory / "dangling").find("link") != std::string::npos);
    CHECK(names_in(directory) == std::set<std::string>{"dangling"});
    CHECK(check(root, {"--output", ""}).status == 64);
}

TEST_CASE_FIXTURE(host_and_directory, "--output on a full disk keeps the old file, and nothing of the new one") {
    std::ofstream(file) << "old";
    const std::string result = tests::in_child([&] {
        // Stands for the disk: no file may grow beyond 100 bytes.
        const ::rlimit small{100, 100};
        ::setrlimit(RLIMIT_FSIZE, &small);
        ::signal(SIGXFSZ, SIG_IGN);
        const program_result r = check(root, {"--output", file});
        return std::to_string(r.status) + " " + r.err;
    });
    CHECK(result.starts_with("70 closeside-check: cannot write"));
    CHECK(result.find("File too large") != std::string::npos);
    CHECK(content(file) == "old");
    CHECK(names_in(directory) == std::set<std::string>{"closeside.prom"});
}

TEST_CASE_FIXTURE(host_and_directory, "--output into a directory that may not be written to says so") {
    fs::permissions(directory, fs::perms(0555));
    const std::string result = tests::in_unprivileged_child([&] {
        const program_result r = check(root, {"--output", file});
        return std::to_string(r.status) + " " + r.err;
    });
    CHECK(result.starts_with("70 "));
    CHECK(result.find("Permission denied") != std::string::npos);
}
