// SPDX-License-Identifier: BSL-1.0
// What a policy in the type costs at compile time, next to the same server on plain Asio.
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

/// Everything that is compiled.
struct subjects {
    subject plain{"plain Asio", "servers/plain_asio.cpp"};
    subject one_policy{"closeside", "servers/one_policy.cpp"};
    subject ten_policies{"closeside", "servers/ten_policies.cpp"};
    subject policy{"policy.hpp", "headers/policy.cpp"};
    subject policy_standard{"its standard headers", "headers/policy_standard.cpp"};
    subject umbrella{"closeside.hpp", "headers/closeside.cpp"};
    subject host{"host.hpp", "headers/host.cpp"};
    subject asio_tcp{"asio/ip/tcp.hpp", "headers/asio_tcp.cpp"};

    std::vector<subject*> wanted(bool smoke) {
        std::vector<subject*> some{&plain, &one_policy, &ten_policies, &policy, &policy_standard};
        if (!smoke) some.insert(some.end(), {&umbrella, &host, &asio_tcp}); // nothing depends on these
        return some;
    }
};

void add_server_rows(std::vector<comparison>& rows, const std::string& what, const subject& ours, const subject& theirs,
                     double most) {
    const aim wanted = benchmark_support::ratio_at_most(most);
    rows.push_back(compare(what, "s of processor time", ours.seconds(), theirs.seconds(), wanted));
    const auto add_size = [&](const std::string& unit, std::optional<double> compiled::*size) {
        const auto our = ours.of(size), their = theirs.of(size);
        if (our && their) rows.push_back(compare(what, unit, *our, *their, wanted));
    };
    add_size("bytes of text and data", &compiled::loaded_bytes);
    add_size("bytes of the object file", &compiled::bytes);
}

/// What the first takes longer than the second.
series difference(const series& longer, const series& shorter) {
    series d{longer.name + " above " + shorter.name, {}};
    for (std::size_t i = 0; i != longer.rounds.size(); ++i) d.rounds.push_back(longer.rounds[i] - shorter.rounds[i]);
    return d;
}

std::vector<comparison> rows_of(const subjects& s, bool smoke) {
    std::vector<comparison> rows;
    add_server_rows(rows, "a server with one policy", s.one_policy, s.plain, 1.05);
    add_server_rows(rows, "a server with ten policies", s.ten_policies, s.plain, 1.25);
    rows.push_back(alone("a header by itself", "s of processor time",
                         difference(s.policy.seconds(), s.policy_standard.seconds()),
                         benchmark_support::value_at_most(0.05)));
    if (smoke) return rows;
    rows.push_back(compare("a header by itself", "s of processor time", s.umbrella.seconds(), s.asio_tcp.seconds()));
    rows.push_back(compare("a header by itself", "s of processor time", s.host.seconds(), s.asio_tcp.seconds()));
    return rows;
}

std::vector<comparison> measure_compiling(const benchmark_support::options& o) {
    const compiler c;
    subjects all;
    const std::vector<subject*> wanted = all.wanted(o.smoke);
    for (unsigned round = 0; round != o.rounds; ++round)
        for (std::size_t i = 0; i != wanted.size(); ++i) {
            subject& s = *wanted[(i + round) % wanted.size()];
            s.rounds.push_back(o.smoke ? c.check(s.source) : c.compile(s.source));
        }
    return rows_of(all, o.smoke);
}

} // namespace

int main(int argc, char** argv) {
    return benchmark_support::run(
        argc, argv,
        {"compile", "Compares compile time and object size of a server of one policy and of ten with plain Asio.", 2,
         measure_compiling});
}
