// SPDX-License-Identifier: BSL-1.0
#include "note.hpp"
#include "output.hpp"
#include "report.hpp"

#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/host/audit.hpp>
#include <closeside/host/take_snapshot.hpp>
#include <closeside/version.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace check {

namespace {

namespace host = closeside::host;

/// Waits, but not beyond SIGINT: who presses Ctrl-C wants to see what is known by now. The next one ends the program.
void wait_or_be_interrupted(std::chrono::seconds time) {
    ::sigset_t interrupt, before;
    ::sigemptyset(&interrupt);
    ::sigaddset(&interrupt, SIGINT);
    ::sigprocmask(SIG_BLOCK, &interrupt, &before);
    const closeside::detail::owned_descriptor arrival(::signalfd(-1, &interrupt, SFD_CLOEXEC));
    const auto until = std::chrono::steady_clock::now() + time;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) break;
        ::pollfd ready{arrival.get(), POLLIN, 0};
        if (::poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
        // Takes it, so that it does not end the program later.
        ::signalfd_siginfo taken;
        [[maybe_unused]] const ssize_t n = ::read(arrival.get(), &taken, sizeof taken);
        break;
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

/// Rules that speak where a key stands at the kernel's own default. A test holds it against such hosts.
constexpr std::array<std::string_view, 3> standing_codes{"CS105", "CS109", "CS406"};

std::vector<judged> judge(const report& r, std::chrono::sys_days today) {
    const host::audit_options more{.earlier = r.earlier ? &*r.earlier : nullptr,
                                   .config = r.config.error == 0 ? &r.config : nullptr};
    std::vector<judged> all;
    for (host::finding& f : host::audit(r.seen, program_of(r.asked), more)) {
        judged j{std::move(f), {}, false};
        if (const auto* s = host::detail::find_suppression(r.asked.suppressions, j.finding.code)) {
            j.suppression = *s;
            j.suppressed = !s->has_expired(today);
        }
        all.push_back(std::move(j));
    }
    return all;
}

} // namespace

std::optional<report> look(const audit_options& asked) {
    report r{asked, host::take_snapshot({.root = asked.root}), {}, {}, {}, {}, {}, {}};
    if (r.seen.error != 0) {
        give_up("cannot look below '" + asked.root + "': proc/sys/net: " +
                std::generic_category().message(r.seen.error) + "; --root takes a directory that holds proc/");
        return std::nullopt;
    }
    if (asked.watch.count() != 0) {
        if (::isatty(STDERR_FILENO))
            say_note("looks again in " + std::to_string(asked.watch.count()) + " s (Ctrl-C: at once)");
        wait_or_be_interrupted(asked.watch);
        r.earlier = std::exchange(r.seen, host::take_snapshot({.root = asked.root}));
    }
    r.taken = std::chrono::system_clock::now();
    r.config = host::read_config({.root = asked.root});
    r.capacity = host::capacity_of(r.seen);
    r.findings = judge(r, std::chrono::floor<std::chrono::days>(r.taken));
    return r;
}

bool is_standing(const host::finding& f) noexcept {
    return f.severity == host::severity::note && f.when == host::moment::now &&
           std::ranges::find(standing_codes, f.code) != standing_codes.end();
}

host::program program_of(const audit_options& asked) {
    host::program program = asked.program;
    program.policies = asked.policies;
    return program;
}

std::chrono::duration<double> watched(const report& r) {
    return r.earlier ? r.seen.taken - r.earlier->taken : std::chrono::steady_clock::duration::zero();
}

std::string host_name(const host::snapshot& seen) {
    ::utsname name{};
    return seen.root != "/" || ::uname(&name) != 0 ? seen.root : name.nodename;
}

std::string version_name() {
    return std::to_string(CLOSESIDE_VERSION / 100000) + "." + std::to_string(CLOSESIDE_VERSION / 100 % 1000) + "." +
           std::to_string(CLOSESIDE_VERSION % 100);
}

} // namespace check
