// SPDX-License-Identifier: BSL-1.0
#define DOCTEST_CONFIG_IMPLEMENT
#include "matrix.hpp"

#include "observation/own_network.hpp"

#include <doctest/doctest.h>

#include <cstdio>

#include <unistd.h>

namespace {

constexpr int skipped = 77; // CTest's SKIP_RETURN_CODE

} // namespace

int main(int argc, char** argv) {
    doctest::Context context(argc, argv);
    // While there is one thread: a user namespace takes no other.
    if (observation::enter_own_network() == observation::network::shared) {
        std::fputs("SKIPPED: no right to a network namespace, neither as root nor through user namespaces\n", stderr);
        return skipped;
    }
    // A matrix that hangs is ended, whatever it is stuck in.
    ::alarm(120u * static_cast<unsigned>(conformance::rounds()));
    const int result = context.run();
    if (!context.shouldExit()) std::fputs(conformance::summary().c_str(), stdout);
    return result;
}
