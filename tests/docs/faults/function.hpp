// SPDX-License-Identifier: BSL-1.0
/// A namespace.
namespace closeside {

/// Said.
void said();

void unsaid();

} // namespace closeside
