// SPDX-License-Identifier: BSL-1.0
#include "half.hpp"

#include <iostream>

int main() {
    for (const std::string& wrong : {standalone_half(), boost_half(), standalone_half()})
        if (!wrong.empty()) {
            std::cerr << wrong << '\n';
            return 1;
        }
}
