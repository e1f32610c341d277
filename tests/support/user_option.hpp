// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_USER_OPTION_HPP
#define CLOSESIDE_TESTS_SUPPORT_USER_OPTION_HPP

#include <cstddef>

#include <sys/socket.h>

namespace tests {

/// A SettableSocketOption as users write one if Asio has no name for it.
class user_option {
public:
    user_option(int level, int name, int value) : level_(level), name_(name), value_(value) {}

    template <class Protocol>
    int level(const Protocol&) const {
        return level_;
    }
    template <class Protocol>
    int name(const Protocol&) const {
        return name_;
    }
    template <class Protocol>
    const void* data(const Protocol&) const {
        return &value_;
    }
    template <class Protocol>
    std::size_t size(const Protocol&) const {
        return sizeof value_;
    }

private:
    int level_, name_, value_;
};

inline const user_option reuse_port(SOL_SOCKET, SO_REUSEPORT, 1);

} // namespace tests

#endif
