// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/asio/target_of.hpp>

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/thread_pool.hpp>

#include <doctest/doctest.h>

using closeside::detail::target_of;

namespace {

template <class Wanted>
bool is(const asio::any_io_executor& e) {
    return target_of<Wanted>(e) != nullptr;
}

} // namespace

TEST_CASE("The executor behind a polymorphic one is found, and never taken for one of another type") {
    using of_context = asio::io_context::executor_type;
    using of_pool = asio::thread_pool::executor_type;
    using strand_of_context = asio::strand<of_context>;
    using strand_of_any = asio::strand<asio::any_io_executor>;

    asio::io_context io;
    asio::thread_pool pool(1);
    const asio::any_io_executor any = io.get_executor();
    REQUIRE(is<of_context>(any));
    CHECK(*target_of<of_context>(any) == io.get_executor());
    CHECK_FALSE(is<of_pool>(any));
    CHECK_FALSE(is<strand_of_context>(any));
    CHECK_FALSE(is<strand_of_any>(any));

    CHECK_FALSE(is<of_context>(pool.get_executor()));
    CHECK(is<of_pool>(pool.get_executor()));
    CHECK_FALSE(is<of_context>(asio::make_strand(io)));
    CHECK(is<strand_of_context>(asio::make_strand(io)));
    CHECK_FALSE(is<strand_of_any>(asio::make_strand(io)));
    CHECK(is<strand_of_any>(asio::make_strand(any)));
    CHECK_FALSE(is<strand_of_context>(asio::make_strand(any)));
    CHECK_FALSE(is<of_context>(asio::system_executor()));
    CHECK_FALSE(is<of_context>(asio::any_io_executor()));
}
