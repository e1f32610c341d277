// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_OWNED_DESCRIPTOR_HPP
#define CLOSESIDE_DETAIL_KERNEL_OWNED_DESCRIPTOR_HPP

#include <utility>

#include <unistd.h>

namespace closeside::detail {

/// Closes a descriptor that nobody has taken over. -1: none.
class owned_descriptor {
public:
    explicit owned_descriptor(int fd = -1) noexcept : fd_(fd) {}
    owned_descriptor(owned_descriptor&& other) noexcept : fd_(other.release()) {}
    owned_descriptor& operator=(owned_descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~owned_descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }

    explicit operator bool() const noexcept { return fd_ >= 0; }
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

} // namespace closeside::detail

#endif
