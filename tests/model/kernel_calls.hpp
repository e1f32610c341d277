// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_KERNEL_CALLS_HPP
#define CLOSESIDE_TESTS_MODEL_KERNEL_CALLS_HPP

#include "modelled_kernel.hpp"

#include <closeside/detail/close/loop.hpp>

// The shipped system-call layer once more, under another name and on the modelled kernel. It has a function `send` of its
// own, which the macro renames as well.
inline ssize_t modelled_send(int fd, const void* bytes, std::size_t size, int flags) {
    return modelled_kernel::send(fd, bytes, size, flags);
}
// clang-format off
#undef CLOSESIDE_DETAIL_KERNEL_SOCKET_OPTIONS_HPP
#undef CLOSESIDE_DETAIL_KERNEL_TCP_SOCKET_HPP
#define socket_options socket_options_on_modelled_kernel
#define tcp_socket tcp_socket_on_modelled_kernel
#define connect modelled_kernel::connect
#define getsockopt modelled_kernel::getsockopt
#define setsockopt modelled_kernel::setsockopt
#define ioctl modelled_kernel::ioctl
#define is_in_time_wait modelled_kernel::is_in_time_wait
#define poll modelled_kernel::poll
#define recv modelled_kernel::recv
#define recvmsg modelled_kernel::recvmsg
#define send modelled_send
#define shutdown modelled_kernel::shutdown
#define syscall modelled_kernel::syscall
#include <closeside/detail/kernel/tcp_socket.hpp>
#undef socket_options
#undef tcp_socket
#undef connect
#undef getsockopt
#undef setsockopt
#undef ioctl
#undef is_in_time_wait
#undef poll
#undef recv
#undef recvmsg
#undef send
#undef shutdown
#undef syscall
// clang-format on

namespace model {

struct calls : closeside::detail::tcp_socket_on_modelled_kernel {
    static long send(int fd, const void* bytes, std::size_t size) noexcept { return modelled_send(fd, bytes, size); }
};

} // namespace model

#endif
