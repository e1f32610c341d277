// SPDX-License-Identifier: BSL-1.0
/// A namespace.
namespace closeside {

/// Means @nothing.
void said();

} // namespace closeside
