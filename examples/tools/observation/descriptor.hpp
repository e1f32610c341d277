// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_DESCRIPTOR_HPP
#define CLOSESIDE_OBSERVATION_DESCRIPTOR_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>

namespace observation {

/// A file descriptor that is closed with its owner, or before.
class descriptor : public closeside::detail::owned_descriptor {
public:
    using owned_descriptor::owned_descriptor;
    void close() noexcept { *this = descriptor(); }
};

} // namespace observation

#endif
