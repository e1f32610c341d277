// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_PACKETS_TUN_HPP
#define CLOSESIDE_TESTS_SUPPORT_PACKETS_TUN_HPP

#include "support/packets/wire_format.hpp"

#include "observation/descriptor.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace packets {

/// A network interface whose far end is this object: what the kernel sends is read here, what is written here arrives.
/** It has 192.0.2.1/24, and 2001:db8::1/64 where the kernel has IPv6. A packet has been handled when write() returns:
 *  the kernel takes it in on the writing thread (tun_get_user). */
class tun {
public:
    static constexpr const char* local_v4 = "192.0.2.1";
    static constexpr const char* local_v6 = "2001:db8::1";

    /// In the network namespace of the calling thread. Throws std::system_error that names the call.
    tun();

    bool has_v6() const { return has_v6_; }

    void write(const bytes& packet);

    /// Nothing if none has come within `limit`.
    std::optional<bytes> read(std::chrono::milliseconds limit);

private:
    observation::descriptor device_;
    bool has_v6_ = false;
};

} // namespace packets

#endif
