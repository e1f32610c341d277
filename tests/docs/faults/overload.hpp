// SPDX-License-Identifier: BSL-1.0
/// A namespace.
namespace closeside {

/// A type.
class type {
public:
    /// Said of both.
    void said();
    void said(int);

    void said(long);
};

} // namespace closeside
