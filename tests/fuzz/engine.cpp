// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

// What libFuzzer calls. CLOSESIDE_FUZZ_TARGET names the target among those of this program; `list` prints their names.

namespace {

const fuzz::target* chosen = nullptr;

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const char* const name = std::getenv("CLOSESIDE_FUZZ_TARGET");
    const bool lists = name && std::string_view(name) == "list";
    for (const fuzz::target* t = fuzz::target::first(); t; t = t->next()) {
        if (lists) std::puts(t->name());
        if (!name || t->name() == std::string_view(name)) chosen = t;
    }
    if (!chosen && !lists) std::fprintf(stderr, "closeside-fuzz: this program has no target '%s'\n", name);
    if (!chosen) std::exit(lists ? 0 : 64);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    chosen->play({data, size});
    return 0;
}
