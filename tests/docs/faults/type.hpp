// SPDX-License-Identifier: BSL-1.0
/// A namespace.
namespace closeside {

struct unsaid {
    int said; ///< said
};

} // namespace closeside
