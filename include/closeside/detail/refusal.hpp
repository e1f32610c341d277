// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_REFUSAL_HPP
#define CLOSESIDE_DETAIL_REFUSAL_HPP

#include <cstddef>

namespace closeside::detail {

/// A sentence that can be a template argument.
template <std::size_t Size>
struct sentence {
    // NOLINTNEXTLINE(google-explicit-constructor)
    constexpr sentence(const char (&literal)[Size]) noexcept {
        for (std::size_t i = 0; i != Size; ++i) text[i] = literal[i];
    }

    char text[Size]{};
};

} // namespace closeside::detail

// The head of a template that is there to be refused, and what stands in the place of a body. Overload resolution and type
// traits see a deleted function, so that nothing takes the refused call for a possible one, as it would if a static_assert
// stood in a body. Whoever makes the call reads the sentence: clang prints that of the attribute, g++ the template
// arguments of a deleted function, of which it is the first.
// clang-format off
#if defined(__clang__)
#define CLOSESIDE_REFUSED(SENTENCE, ...) template <__VA_ARGS__> __attribute__((unavailable(SENTENCE)))
#define CLOSESIDE_REFUSED_CALL
// Never run: without it, the constant that is asked for would be another error, before the sentence.
#define CLOSESIDE_REFUSED_CONSTANT {}
#else
#define CLOSESIDE_REFUSED(SENTENCE, ...) template <auto Why = ::closeside::detail::sentence(SENTENCE), __VA_ARGS__>
#define CLOSESIDE_REFUSED_CALL = delete
#define CLOSESIDE_REFUSED_CONSTANT = delete
#endif
// clang-format on

#endif
