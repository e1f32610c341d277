// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_POLICY_OPTION_HPP
#define CLOSESIDE_DETAIL_CLOSE_POLICY_OPTION_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/close/apply_policy.hpp>

#include <cstddef>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace closeside::detail {

/// What a policy says to a setsockopt(2) of the program's.
struct policy_option {
    bool is_policys = false;         ///< the policy sets it: if nothing objects, there is nothing to do
    const char* objection = nullptr; ///< the value is another than the policy's, and which member to set instead
};

constexpr bool is_policys(int level, int name) noexcept {
    return (level == SOL_SOCKET && (name == SO_LINGER || name == SO_REUSEADDR)) ||
           (level == IPPROTO_TCP && name == TCP_LINGER2);
}

inline const char* objection_to_linger(const close_policy& p, const ::linger& value) noexcept {
    using mode = lingering::mode;
    if (value.l_onoff == 0)
        return p.linger.how == mode::background ? nullptr
                                                : "SO_LINGER is the policy's to set: for linger(false, 0) set linger = "
                                                  "lingering::background in the policy";
    if (value.l_linger == 0)
        return p.linger.how == mode::abort ? nullptr
                                           : "SO_LINGER is the policy's to set: for linger(true, 0) call abort() in "
                                             "place of close(), or set linger = lingering::abort in the policy";
    if (p.linger.how == mode::until_acked && p.linger.time.count == std::int64_t{value.l_linger} * 1000) return nullptr;
    return "SO_LINGER is the policy's to set: set linger = lingering::until_acked in the policy";
}

/// The value is what setsockopt(2) would be given; one that is too short for the kernel is nobody's.
inline policy_option judge_option(const close_policy& p, int level, int name, const void* data,
                                  std::size_t size) noexcept {
    if (!is_policys(level, name)) return {};
    if (level == SOL_SOCKET && name == SO_LINGER) {
        ::linger value{};
        if (size < sizeof value)
            return {true, "SO_LINGER is the policy's to set, and takes a struct linger: set linger in the policy"};
        std::memcpy(&value, data, sizeof value);
        return {true, objection_to_linger(p, value)};
    }
    int value = 0;
    const bool whole = size >= sizeof value;
    if (whole) std::memcpy(&value, data, sizeof value);
    if (level == SOL_SOCKET)
        return {true, whole && (value != 0) == p.reuse_address
                          ? nullptr
                          : "SO_REUSEADDR is the policy's to set: set reuse_address in the policy"};
    return {true, whole && value == linger2_value(p.linger2)
                      ? nullptr
                      : "TCP_LINGER2 is the policy's to set: set linger2 in the policy"};
}

} // namespace closeside::detail

#endif
