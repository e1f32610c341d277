// SPDX-License-Identifier: BSL-1.0
// closeside-check: the host check of closeside as a command. Exit status: 0 nothing worse than a note, 1 warnings,
// 2 critical, 64 wrong arguments, 70 nothing could be looked at or printed.
#include "arguments.hpp"
#include "report.hpp"

#include <closeside/host.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include <sys/ioctl.h>
#include <unistd.h>

namespace {

namespace host = closeside::host;

/// sysexits.h: EX_SOFTWARE.
constexpr int status_blind = 70;

int exit_status(const check::report& r) {
    int status = 0;
    for (const check::judged& j : r.findings)
        if (!j.suppressed) status = std::max(status, static_cast<int>(j.finding.severity));
    return status;
}

check::report look_and_judge(const check::arguments& given) {
    check::report r{host::take_snapshot({.root = given.root}), given.exposure, given.assumed, {}};
    for (host::finding& f : host::audit(r.seen, given.exposure, given.policies)) {
        const bool suppressed = std::ranges::find(given.ignored, f.code) != given.ignored.end();
        r.findings.push_back({std::move(f), suppressed});
    }
    return r;
}

/// NO_COLOR: no-color.org.
bool wants_colour() {
    const char* const refused = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) && !(refused && *refused) && terminal && std::string_view(terminal) != "dumb";
}

std::size_t line_width() {
    ::winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 100;
    return std::min<std::size_t>(size.ws_col, 120);
}

void print(const check::report& r, check::output_format format) {
    switch (format) {
    case check::output_format::text: return check::print_text(std::cout, r, wants_colour(), line_width());
    case check::output_format::json: return check::print_json(std::cout, r);
    case check::output_format::prometheus: return check::print_prometheus(std::cout, r);
    }
}

int run(const check::arguments& given) {
    const check::report r = look_and_judge(given);
    if (r.seen.error != 0) {
        std::cerr << "closeside-check: cannot look below '" << check::one_line(given.root)
                  << "': proc/sys/net: " << std::generic_category().message(r.seen.error)
                  << "; --root takes a directory that holds proc/\n";
        return status_blind;
    }
    print(r, given.format);
    if (!std::cout.flush()) {
        std::cerr << "closeside-check: cannot write to standard output: " << std::generic_category().message(errno)
                  << "\n";
        return status_blind;
    }
    return exit_status(r);
}

} // namespace

int main(int argc, char** argv) try {
    const auto parsed = check::parse(argc, argv);
    if (const auto* end = std::get_if<check::early_end>(&parsed)) {
        (end->status == 0 ? std::cout : std::cerr) << end->text;
        return end->status;
    }
    return run(std::get<check::arguments>(parsed));
} catch (const std::exception& e) {
    std::cerr << "closeside-check: " << e.what() << "\n";
    return status_blind;
}
