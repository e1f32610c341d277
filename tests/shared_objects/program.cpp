// SPDX-License-Identifier: BSL-1.0
//
// program one|two [plug-in...]
//
// Compares what it sees with what each of the plug-ins sees, or without any, the library that it is linked with. The first
// word says whether the dynamic linker can make the library's state and theirs one.
#include "both_sides.hpp"

#include <dlfcn.h>

#include <iostream>
#include <string_view>
#include <system_error>

#pragma weak look
#pragma weak begin_close
#pragma weak fail

namespace cs = closeside;

namespace {

bool failed = false;

void check(bool holds, const char* what) {
    if (holds) return;
    std::cerr << "not so: " << what << '\n';
    failed = true;
}

struct library {
    decltype(&look) look_ = &look;
    decltype(&begin_close) begin_close_ = &begin_close;
    decltype(&fail) fail_ = &fail;
};

library plug_in(const char* file) {
    void* const handle = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) std::cerr << ::dlerror() << '\n';
    return {reinterpret_cast<decltype(&look)>(::dlsym(handle, "look")),
            reinterpret_cast<decltype(&begin_close)>(::dlsym(handle, "begin_close")),
            reinterpret_cast<decltype(&fail)>(::dlsym(handle, "fail"))};
}

void compare(const library& theirs, bool one) {
    asio::io_context io, another;
    view there;
    theirs.look_(one ? io : another, there);
    const view here = look_from_here(io);
    check(there.code == cs::error::patience_over, "a code of the library's equals the error");
    check(cs::error::patience_over == there.code, "the error equals a code of the library's");
    check(there.code != cs::error::drain_time_over, "a code of the library's differs from another error");
    check(there.code == std::errc::timed_out, "a code of the library's equals the portable condition");
    try {
        theirs.fail_();
        check(false, "the library throws");
    } catch (const std::system_error& e) {
        check(e.code() == cs::error::ports_exhausted, "the code of the library's exception equals the error");
    }
    if (!one) return; // nor is Asio's own state one, so that the two cannot share a context

    check(there.code == here.code, "the codes of both are equal");
    check(there.category == here.category, "the category is one");
    check(there.deadlines == here.deadlines, "the deadlines of one context lie in one service");
    std::error_code outcome_there, outcome_here;
    theirs.begin_close_(io, outcome_there);
    begin_close_from_here(io, outcome_here);
    io.run();
    check(outcome_there == cs::error::drain_time_over, "a close of the library's ends in time");
    check(outcome_here == cs::error::drain_time_over, "a close of the program's ends in time");
}

} // namespace

int main(int argc, char** argv) {
    const bool one = std::string_view(argv[1]) == "one";
    if (argc == 2) compare({}, one);
    for (int i = 2; i < argc; ++i) compare(plug_in(argv[i]), one);
    return failed ? 1 : 0;
}
