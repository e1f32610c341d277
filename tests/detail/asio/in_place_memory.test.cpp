// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/asio/in_place_memory.hpp>

#include "support/scarce_memory.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace {

using tests::counting_allocator;
using tests::ledger;

using memory = closeside::detail::in_place_memory<64>;
template <class T>
using allocator = closeside::detail::in_place_allocator<T, 64, counting_allocator<void>>;

bool is_inside(const memory& m, const void* p) {
    const auto at = reinterpret_cast<std::uintptr_t>(p), begin = reinterpret_cast<std::uintptr_t>(&m);
    return at >= begin && at < begin + sizeof m;
}

} // namespace

TEST_CASE("one block at a time lies in place, and what finds no room comes from the other allocator") {
    memory here;
    ledger elsewhere;
    allocator<char> a(here, counting_allocator<void>(elsewhere));

    char* const first = a.allocate(64);
    CHECK(is_inside(here, first));
    CHECK(reinterpret_cast<std::uintptr_t>(first) % alignof(std::max_align_t) == 0);
    char* const second = a.allocate(1);
    CHECK_FALSE(is_inside(here, second));
    CHECK(elsewhere.bytes == 1);
    a.deallocate(first, 64);
    char* const third = a.allocate(8);
    CHECK(third == first);
    a.deallocate(second, 1);
    a.deallocate(third, 8);
    CHECK(elsewhere.bytes == 0);

    char* const large = a.allocate(65);
    CHECK_FALSE(is_inside(here, large));
    a.deallocate(large, 65);
    CHECK(elsewhere.bytes == 0);
}

TEST_CASE("a rebound allocator frees what another has allocated") {
    memory here;
    ledger elsewhere;
    const allocator<void> a(here, counting_allocator<void>(elsewhere));
    std::allocator_traits<allocator<void>>::rebind_alloc<int> ints(a);
    std::allocator_traits<allocator<void>>::rebind_alloc<char> chars(ints);
    CHECK(ints == chars);
    int* const p = ints.allocate(4);
    CHECK(is_inside(here, p));
    allocator<int>(chars).deallocate(p, 4);
    CHECK(is_inside(here, chars.allocate(64)));
}
