// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_LISTENING_SOCKET_HPP
#define CLOSESIDE_DETAIL_LISTEN_LISTENING_SOCKET_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/listen/bind_options.hpp>
#include <closeside/detail/listen/option_view.hpp>
#include <closeside/detail/separate_compilation.hpp>

#include <cerrno>
#include <cstdint>
#include <span>
#include <string>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What accepted sockets inherit and restart needs. False with errno set.
/** SO_REUSEADDR too: the TIME-WAIT of an accepted socket without it keeps the next listener off the port. */
CLOSESIDE_DECL bool set_inherited_options(int fd, const close_policy& p) noexcept;

/// Why set_inherited_options has failed, if that is known.
CLOSESIDE_DECL std::string cure_of_options(int fd, const close_policy& p);

/// What an exception says of a bind(2) or listen(2) that failed; the options are those of `fd`.
CLOSESIDE_DECL std::string not_bound_text(const char* call, int error, const asio::ip::tcp::endpoint& endpoint,
                                          const bind_options& ours);

/// A socket that can become a listener, with the policy's options, or the call that failed and its errno.
struct new_listener {
    owned_descriptor fd; ///< open if it was setsockopt that failed
    const char* failed = nullptr;
    int error = 0;
};

CLOSESIDE_DECL new_listener open_socket(const asio::ip::tcp& protocol, const close_policy& p) noexcept;

/// `options` are set after the policy's, which none of them may contradict.
CLOSESIDE_DECL owned_descriptor open_listener(const asio::ip::tcp::endpoint& endpoint, const close_policy& p,
                                              int backlog, std::span<const option_view> options = {});

/// Checks that `fd` is a listening TCP socket and gives it the flags and options of our own; returns its address.
CLOSESIDE_DECL asio::ip::tcp::endpoint set_options_of_listener(int fd, const close_policy& p);

/// Gives a TCP socket that listens, or may yet, the flags and options of our own; 0 or errno.
CLOSESIDE_DECL int set_options_of_future_listener(int fd, const close_policy& p) noexcept;

/// Connections that wait to be accepted; they have inherited their options already.
CLOSESIDE_DECL std::uint32_t accept_queue_length(int fd) noexcept;

/// What a failed accept4 calls for.
enum class accept_failure { none_waiting, vanished, out_of_resources, fatal };

CLOSESIDE_DECL accept_failure classify_accept(int error) noexcept;

/// So many in a row are no coincidence: accept4 may refuse for good, e.g. EPERM from a security module, and leave the
/// connection where it is.
inline constexpr int most_vanished = 16;

/// EMFILE or ENFILE: sheds the closes that have waited longest. False if that has freed no descriptor.
CLOSESIDE_DECL bool makes_room(int error) noexcept;

/// `peer`, if it is given, gets the address, which the kernel has even if the connection is dead by now.
CLOSESIDE_DECL int accept_once(int listener, asio::ip::tcp::endpoint* peer = nullptr) noexcept;

/// How a blocking accept goes about it.
struct accept_manner {
    bool waits = true;          ///< until there is a connection
    bool tells_aborted = false; ///< of connections that are gone by the time they would be accepted
};

/// Do Asio's acceptors with enable_connection_aborted pass it on?
inline bool is_aborted(int error) noexcept { return error == ECONNABORTED || error == EPROTO; }

/// -1 with the reason in `ec`.
CLOSESIDE_DECL int accept_blocking(int listener, error_code& ec, asio::ip::tcp::endpoint* peer = nullptr,
                                   accept_manner manner = {}) noexcept;

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/detail/listen/impl/listening_socket.ipp>
#endif

#endif
