// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CONNECT_CONNECT_DIAGNOSIS_HPP
#define CLOSESIDE_DETAIL_CONNECT_CONNECT_DIAGNOSIS_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/connect/connect_socket.hpp>
#include <closeside/detail/separate_compilation.hpp>

#include <string>

// Why a connection could not be made, in words for an operator. Reads /proc, walks the kernel's table.
namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The ports that there are, and those that TIME-WAIT holds towards the destination.
CLOSESIDE_DECL std::string ports_text(const asio::ip::tcp::endpoint& to);

inline constexpr const char* other_port = "connect from another port, or from port 0, which leaves it to the kernel";

/// Why connect(2) found its 4-tuple taken. `local` has a port.
CLOSESIDE_DECL std::string why_connection_exists(const asio::ip::tcp::endpoint& local,
                                                 const asio::ip::tcp::endpoint& remote);

/// A call that failed on the way to `remote`.
struct connect_failure {
    error_code code;
    const char* call = "connect";
};

/// Why the call failed, as far as more is known than the error says; otherwise empty.
CLOSESIDE_DECL std::string why_not_connected(const connect_failure& failure, const asio::ip::tcp::endpoint& remote,
                                             const local_endpoint& local, const close_policy& p);

/// What an exception says before the error's own message.
CLOSESIDE_DECL std::string connect_failure_text(const connect_failure& failure, const asio::ip::tcp::endpoint& remote,
                                                const local_endpoint& local, const close_policy& p);

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/detail/connect/impl/connect_diagnosis.ipp>
#endif

#endif
