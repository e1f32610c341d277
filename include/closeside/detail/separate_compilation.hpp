// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_SEPARATE_COMPILATION_HPP
#define CLOSESIDE_DETAIL_SEPARATE_COMPILATION_HPP

/// With CLOSESIDE_SEPARATE_COMPILATION functions are declared here and defined in the translation unit that includes
/// closeside/src.hpp or closeside/host/src.hpp; without it every one is an inline function.
#ifdef CLOSESIDE_SEPARATE_COMPILATION
#define CLOSESIDE_DECL
#define CLOSESIDE_DETAIL_MODE thread_local
#else
#define CLOSESIDE_DECL inline
#define CLOSESIDE_DETAIL_MODE
#endif

#define CLOSESIDE_DETAIL_MIXED                                                                                         \
    some_files_include_closeside_with_CLOSESIDE_SEPARATE_COMPILATION_and_some_without__define_it_for_all_or_for_none

namespace closeside::detail {

// A program of both modes does not link: GNU's linkers refuse one symbol that is thread-local here and not there, LLVM's
// such a section. Their messages show its name.
[[gnu::used]] inline constinit CLOSESIDE_DETAIL_MODE const char CLOSESIDE_DETAIL_MIXED = 0;

#define CLOSESIDE_DETAIL_TEXT_OF(name) #name
#define CLOSESIDE_DETAIL_TEXT(name) CLOSESIDE_DETAIL_TEXT_OF(name)
namespace {
[[gnu::used, gnu::section(CLOSESIDE_DETAIL_TEXT(
                 CLOSESIDE_DETAIL_MIXED))]] constinit CLOSESIDE_DETAIL_MODE const char mode_of_this_file = 0;
} // namespace
#undef CLOSESIDE_DETAIL_TEXT
#undef CLOSESIDE_DETAIL_TEXT_OF
#undef CLOSESIDE_DETAIL_MIXED
#undef CLOSESIDE_DETAIL_MODE

} // namespace closeside::detail

#endif
