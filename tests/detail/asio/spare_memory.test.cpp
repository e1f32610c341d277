// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/asio/spare_memory.hpp>

#include "support/scarce_memory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

using closeside::detail::spare_allocator;
using closeside::detail::spare_memory;

TEST_CASE("memory that is given back serves the next of its size, and no other") {
    spare_memory spare;
    void* const first = spare.take(256);
    void* const second = spare.take(256);
    spare.give_back(first, 256);
    void* const larger = spare.take(512);
    CHECK(larger != first);
    CHECK(spare.take(256) == first);
    spare.give_back(first, 256);
    spare.give_back(second, 256);
    spare.give_back(larger, 512); // in place of one of the two
    void* const again = spare.take(256);
    CHECK((again == first || again == second));
    spare.give_back(again, 256);
}

TEST_CASE("what is given back more often than what is kept takes its place") {
    spare_memory spare;
    spare.give_back(spare.take(256), 256);
    void* const larger = spare.take(512);
    void* const another = spare.take(512);
    spare.give_back(larger, 512);
    spare.give_back(another, 512);
    CHECK(spare.take(512) == another);
    spare.give_back(another, 512);
}

TEST_CASE("of a burst no more blocks are kept than the most") {
    spare_memory spare;
    std::vector<void*> taken(2 * spare_memory::most);
    std::ranges::generate(taken, [&] { return spare.take(64); });
    for (void* const memory : taken) spare.give_back(memory, 64);
    const int before = tests::allocations();
    for (unsigned i = 0; i != spare_memory::most; ++i) taken[i] = spare.take(64);
    CHECK(tests::allocations() == before);
    void* const one_more = spare.take(64);
    CHECK(tests::allocations() == before + 1);
    spare.give_back(one_more, 64);
    for (unsigned i = 0; i != spare_memory::most; ++i) spare.give_back(taken[i], 64);
}

TEST_CASE("an object of std::allocate_shared lies in spare memory") {
    spare_memory spare;
    const auto make = [&] { return std::allocate_shared<long>(spare_allocator<long>(spare), 1); };
    const void* const first = make().get();
    CHECK(make().get() == first);
}
