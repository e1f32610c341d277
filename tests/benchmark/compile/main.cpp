// SPDX-License-Identifier: BSL-1.0
// What a policy in the type costs at compile time, header-only and compiled, next to the same server on plain Asio.
#include "compiler.hpp"

#include "benchmark/support/comparison.hpp"
#include "benchmark/support/program.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace benchmark_compile;
using benchmark_support::aim;
using benchmark_support::comparison;
using benchmark_support::series;

/// A source file that is compiled once in every round.
struct subject {
    std::string name;
    std::string source;
    mode compiled_as{};
    bool in_smoke = false; ///< each source once, and what is soonest done
    std::vector<compiled> rounds{};

    series seconds() const {
        series s{name, {}};
        for (const compiled& c : rounds) s.rounds.push_back(c.seconds);
        return s;
    }
    /// Nothing if some round did not tell.
    std::optional<series> of(std::optional<double> compiled::*size) const {
        series s{name, {}};
        for (const compiled& c : rounds) {
            if (!(c.*size)) return std::nullopt;
            s.rounds.push_back(*(c.*size));
        }
        return s;
    }
};

constexpr bool in_smoke = true;
constexpr mode header_only{}, compiled_mode{.closeside_separate = true}, separate_asio{.asio_separate = true},
    both_separate{.closeside_separate = true, .asio_separate = true};

/// Everything that is compiled.
struct subjects {
    subject plain{"plain Asio", "servers/plain_asio.cpp", header_only, in_smoke};
    subject plain_ten_types{"plain Asio, templates of ten types", "servers/plain_asio_ten_types.cpp", header_only,
                            in_smoke};
    subject plain_separate{"plain Asio, compiled separately", "servers/plain_asio.cpp", separate_asio};
    subject one{"closeside, header-only", "servers/one_policy.cpp", header_only, in_smoke};
    subject one_compiled{"closeside, compiled mode", "servers/one_policy.cpp", compiled_mode};
    subject one_separate{"closeside, compiled mode, on Asio compiled separately", "servers/one_policy.cpp",
                         both_separate};
    subject ten{"closeside, header-only", "servers/ten_policies.cpp"};
    subject ten_compiled{"closeside, compiled mode", "servers/ten_policies.cpp", compiled_mode, in_smoke};
    subject checking{"closeside, header-only", "servers/startup_check.cpp"};
    subject checking_compiled{"closeside, compiled mode", "servers/startup_check.cpp", compiled_mode, in_smoke};
    subject policy{"policy.hpp", "headers/policy.cpp", header_only, in_smoke};
    subject policy_standard{"its standard headers", "headers/policy_standard.cpp", header_only, in_smoke};
    subject umbrella{"closeside.hpp", "headers/closeside.cpp"};
    subject host{"host.hpp", "headers/host.cpp"};
    subject asio_tcp{"asio/ip/tcp.hpp", "headers/asio_tcp.cpp"};

    std::vector<subject*> wanted(bool smoke) {
        std::vector<subject*> some;
        for (subject* const s :
             {&plain, &plain_ten_types, &plain_separate, &one, &one_compiled, &one_separate, &ten, &ten_compiled,
              &checking, &checking_compiled, &policy, &policy_standard, &umbrella, &host, &asio_tcp})
            if (s->in_smoke || !smoke) some.push_back(s);
        return some;
    }
};

/// What is wanted of a server, against one on plain Asio.
struct aims {
    aim time{};
    aim size{};
};

aims at_most(double time, double size) {
    return {benchmark_support::ratio_at_most(time), benchmark_support::ratio_at_most(size)};
}

struct match {
    const subject& ours;
    const subject& theirs;
    aims wanted{};
};

void add_rows(std::vector<comparison>& rows, const std::string& what, const std::vector<match>& all) {
    std::vector<match> compiled_now;
    for (const match& m : all)
        if (!m.ours.rounds.empty() && !m.theirs.rounds.empty()) compiled_now.push_back(m);
    for (const match& m : compiled_now)
        rows.push_back(compare(what, "s of processor time", m.ours.seconds(), m.theirs.seconds(), m.wanted.time));
    const auto add_size = [&](const match& m, const std::string& unit, std::optional<double> compiled::*size,
                              const aim& wanted) {
        const auto our = m.ours.of(size), their = m.theirs.of(size);
        if (our && their) rows.push_back(compare(what, unit, *our, *their, wanted));
    };
    for (const match& m : compiled_now) add_size(m, "bytes of text and data", &compiled::loaded_bytes, m.wanted.size);
    // With its symbols, which are for the linker.
    for (const match& m : compiled_now) add_size(m, "bytes of the object file", &compiled::bytes, {});
}

/// What the first takes longer than the second.
series difference(const series& longer, const series& shorter) {
    series d{longer.name + " above " + shorter.name, {}};
    for (std::size_t i = 0; i != longer.rounds.size(); ++i) d.rounds.push_back(longer.rounds[i] - shorter.rounds[i]);
    return d;
}

std::vector<comparison> rows_of(const subjects& s) {
    std::vector<comparison> rows;
    const std::string header = "a header by itself";
    add_rows(rows, "a server with one policy",
             {{s.one_compiled, s.plain, at_most(1, 0.9)},
              {s.one_separate, s.plain_separate, at_most(1, 0.9)},
              {s.one, s.plain}});
    add_rows(rows, "a server with ten policies",
             {{s.ten_compiled, s.plain, at_most(1.3, 1.4)},
              {s.ten_compiled, s.plain_ten_types},
              {s.ten, s.plain},
              {s.ten, s.plain_ten_types}});
    add_rows(rows, "a server with all headers and warn_at_startup",
             {{s.checking_compiled, s.plain, at_most(1.2, 1.2)}, {s.checking, s.plain, at_most(2, 2)}});
    rows.push_back(alone(header, "s of processor time", difference(s.policy.seconds(), s.policy_standard.seconds()),
                         benchmark_support::value_at_most(0.05)));
    for (const subject* const ours : {&s.umbrella, &s.host})
        if (!ours->rounds.empty())
            rows.push_back(compare(header, "s of processor time", ours->seconds(), s.asio_tcp.seconds()));
    return rows;
}

std::vector<comparison> measure_compiling(const benchmark_support::options& o) {
    const compiler c;
    subjects all;
    const std::vector<subject*> wanted = all.wanted(o.smoke);
    for (unsigned round = 0; round != o.rounds; ++round)
        for (std::size_t i = 0; i != wanted.size(); ++i) {
            subject& s = *wanted[(i + round) % wanted.size()];
            s.rounds.push_back(o.smoke ? c.check(s.source, s.compiled_as) : c.compile(s.source, s.compiled_as));
        }
    return rows_of(all);
}

} // namespace

int main(int argc, char** argv) {
    return benchmark_support::run(
        argc, argv,
        {"compile",
         "Compares compile time and object size of a server of one policy, of ten, and of one "
         "that checks its host with plain Asio.",
         2, measure_compiling});
}
