// SPDX-License-Identifier: BSL-1.0
/// A namespace.
namespace closeside {

/// A type.
struct type {
    int said; ///< said
    int unsaid;
};

} // namespace closeside
