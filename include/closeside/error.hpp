// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_ERROR_HPP
#define CLOSESIDE_ERROR_HPP

#include <cstring>
#include <string>
#include <system_error>

namespace closeside {

/// Endings of a close that were not the one the policy promises, what kept a connection from being made, and what
/// should keep a program from starting.
/** Whatever the code of a close, the descriptor is released. Each message is a constant. The portable conditions hold
 *  too: patience_over, drain_time_over, linger_over == std::errc::timed_out, drain_bytes_over ==
 *  std::errc::message_size, reset_by_peer == std::errc::connection_reset, cancelled == std::errc::operation_canceled,
 *  ports_exhausted == std::errc::address_not_available; peer_still_sends and unsafe_host have none. */
enum class error {
    patience_over = 1, ///< side::peer: the peer sent no FIN within `patience`; on_limit was carried out
    drain_time_over,   ///< no FIN within `drain_time` of ours, or no byte within `drain_idle`; on_limit was carried out
    drain_bytes_over,  ///< the peer sent more than `drain_bytes`; on_limit was carried out
    reset_by_peer,     ///< the peer reset the connection before or during the close
    cancelled,         ///< the operation was cancelled, or shed for want of descriptors; on_limit was carried out
    linger_over,       ///< lingering::until_acked: not everything was acknowledged in time; on_limit was carried out
    ports_exhausted,   ///< connect: no local port is left towards that destination; explain_ports() has the numbers
    unsafe_host,       ///< check_at_startup: a finding as bad as what the program refuses to start on
    peer_still_sends   ///< side::peer: the peer sent more instead of its FIN; on_limit was carried out
};

namespace detail {

class __attribute__((visibility("default"))) error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "closeside"; }

    std::string message(int value) const override {
        switch (static_cast<error>(value)) {
        case error::patience_over: return "the peer did not close within patience";
        case error::drain_time_over:
            return "the peer did not close within drain_time of our FIN, or sent nothing for drain_idle";
        case error::drain_bytes_over: return "the peer sent more than drain_bytes while the close was draining";
        case error::reset_by_peer: return "the peer reset the connection";
        case error::cancelled: return "the close was cancelled";
        case error::linger_over: return "the peer did not acknowledge everything within lingering::until_acked";
        case error::peer_still_sends: return "the peer sent more where its FIN was due";
        case error::ports_exhausted: return "no local port is left towards that destination";
        case error::unsafe_host:
            return "this host's TCP settings endanger the program's connections: the log lines of the host check say "
                   "which, and what to do";
        }
        return "unknown closeside error " + std::to_string(value);
    }

    std::error_condition default_error_condition(int value) const noexcept override {
        switch (static_cast<error>(value)) {
        case error::patience_over:
        case error::drain_time_over:
        case error::linger_over: return std::errc::timed_out;
        case error::drain_bytes_over: return std::errc::message_size;
        case error::reset_by_peer: return std::errc::connection_reset;
        case error::cancelled: return std::errc::operation_canceled;
        case error::ports_exhausted: return std::errc::address_not_available;
        case error::peer_still_sends:
        case error::unsafe_host: break;
        }
        return {value, *this};
    }
};

} // namespace detail

/// The category of closeside::error. Lives as long as the program; safe from any thread.
/** Visible, so that it is one for all shared objects of a program, wherever the dynamic linker can make them one. */
[[gnu::visibility("default")]] inline const std::error_category& error_category() noexcept {
    static const detail::error_category instance;
    return instance;
}

/// Found by argument-dependent lookup when an error converts to std::error_code.
inline std::error_code make_error_code(error e) noexcept { return {static_cast<int>(e), error_category()}; }

/// The same error, also if a plug-in has a category of its own: dlopen(3) with RTLD_LOCAL by a program that exports
/// nothing (no -rdynamic) leaves it one, and std::error_code compares categories by address.
inline bool operator==(const std::error_code& code, error e) noexcept {
    const std::error_category& own = error_category();
    return code.value() == static_cast<int>(e) &&
           (code.category() == own || std::strcmp(code.category().name(), own.name()) == 0);
}

} // namespace closeside

template <>
struct std::is_error_code_enum<closeside::error> : std::true_type {};

#endif
