// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include <cstdio>
#include <cstdlib>

#include <time.h>

namespace fuzz {

namespace {

const target* all = nullptr;

std::int64_t processor_time() noexcept {
    ::timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

} // namespace

void require(bool holds, const char* what) noexcept {
    if (holds) return;
    std::fprintf(stderr, "closeside-fuzz: broken: %s\n", what);
    std::abort();
}

target::target(const char* name, void (*run)(input)) noexcept : name_(name), run_(run), next_(all) { all = this; }

const target* target::first() noexcept { return all; }

void target::play(std::span<const std::uint8_t> bytes) const {
    // The sanitizers, and a build without optimisation, cost a tenfold; what is not linear costs more.
    constexpr std::int64_t a_second = 1'000'000'000;
    const std::int64_t began = processor_time();
    run_(input(bytes));
    require(processor_time() - began < a_second, "an input takes no more than a second of processor time");
}

} // namespace fuzz
