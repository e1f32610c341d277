// SPDX-License-Identifier: BSL-1.0
#include <closeside/last_bytes.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace cs = closeside;

static_assert(std::is_constructible_v<cs::last_bytes, std::string_view>);
static_assert(!std::is_constructible_v<cs::last_bytes, std::vector<int>>, "a size in elements is not one in bytes");
static_assert(!std::is_convertible_v<std::string, cs::last_bytes>, "copies only where that is written");
static_assert(std::is_nothrow_move_constructible_v<cs::last_bytes>);

namespace {
std::string text_of(cs::last_bytes&& b) {
    const std::size_t size = b.size();
    const auto memory = b.release();
    std::string text(size, '\0');
    if (size != 0) std::memcpy(text.data(), memory.get(), size);
    return text;
}
} // namespace

TEST_CASE("last bytes are copied, from one buffer or from a sequence of them") {
    std::string text = "421 closing";
    cs::last_bytes one{text};
    text = "overwritten";
    CHECK(text_of(std::move(one)) == "421 closing");
    CHECK(one.size() == 0);

    const std::vector<std::string_view> parts{"HTTP/1.1 503 ", "", "Service Unavailable\r\n\r\n"};
    CHECK(text_of(cs::last_bytes{parts}) == "HTTP/1.1 503 Service Unavailable\r\n\r\n");
    cs::last_bytes moved_from{text};
    const cs::last_bytes taken(std::move(moved_from));
    CHECK(taken.size() == text.size());
    CHECK(moved_from.size() == 0);
    CHECK(text_of(cs::last_bytes{}).empty());
    CHECK(cs::last_bytes{std::string_view()}.size() == 0);
}

TEST_CASE("more than 16 KiB of last bytes are not copied, but known to be too many") {
    CHECK_FALSE(cs::last_bytes{std::string(16 * 1024, 'x')}.is_too_long());
    cs::last_bytes b{std::string(16 * 1024 + 1, 'x')};
    CHECK(b.is_too_long());
    CHECK(b.release() == nullptr);
}
