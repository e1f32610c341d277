// SPDX-License-Identifier: BSL-1.0
#include <closeside/host.hpp>

// The target brings no Asio along, and none is demanded of the machine.
#if defined(CLOSESIDE_USE_BOOST_ASIO) || defined(ASIO_STANDALONE)
#error "closeside::host says which Asio to use"
#endif

#if defined(WANTS_COMPILED) && defined(CLOSESIDE_SEPARATE_COMPILATION) != WANTS_COMPILED
#error "the target is not in the mode that it stands for"
#endif

int main() {
    const auto looked = closeside::host::take_snapshot();
    const auto findings = closeside::host::audit(looked, {}, {});
    return findings.size() < 1000 ? 0 : 1;
}
