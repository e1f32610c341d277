// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_RESTART_SITUATION_HPP
#define CLOSESIDE_LAB_RESTART_SITUATION_HPP

#include "attempt.hpp"
#include "scene.hpp"

#include <string>
#include <vector>

namespace lab::restart {

/// A restart that operators know, and what the kernel's rule makes of each newcomer.
struct situation {
    std::string name;
    sharing old;
    legacy what = legacy::connections;
    std::vector<newcomer> let_in; ///< who gets the port; the others get EADDRINUSE
};

/// What an acceptor that was refused must say, and what it must not.
struct expected_words {
    std::vector<std::string> said;
    std::vector<std::string> never;
};

struct result {
    situation what;
    states left; ///< connections on the port when it was asked for
    std::vector<attempt> attempts;
    std::vector<std::string> wrong; ///< what was not as expected; empty: all was

    const attempt& of(newcomer who) const;
};

const std::vector<situation>& situations();

/// Builds it, and lets everybody try at once.
result run(const situation& what, const amounts& many);

} // namespace lab::restart

#endif
