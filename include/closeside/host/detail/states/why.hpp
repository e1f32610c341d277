// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_WHY_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_WHY_HPP

#include <closeside/host/detail/states/tcp_states.hpp>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace closeside::host {

namespace detail {

inline void append_phrase(std::string& text, std::string_view phrase) {
    if (!text.empty()) text += "; ";
    text += phrase;
}

inline void append_failure(std::string& text, std::string_view source, int error) {
    if (error == 0) return;
    append_phrase(text, source);
    text += ": ";
    text += error == EXDEV     ? "knows the running kernel alone, not another root"
            : error == EBADMSG ? "not in the form that the kernel prints"
                               : std::generic_category().message(error);
}

} // namespace detail

/// Why the counts are no better, in one line without a line end; empty where they are exact and by the best method.
inline std::string why_not_better(const tcp_states& s) {
    std::string text;
    if (s.stopped)
        detail::append_phrase(text, "stopped after " + std::to_string(s.elapsed.count() / 1000) +
                                        " ms: the counts are those of a part of the table");
    if (s.interrupted) detail::append_phrase(text, "the table changed so much that the kernel lost its place in it");
    if (s.malformed != 0)
        detail::append_phrase(text, std::to_string(s.malformed) + (s.malformed == 1 ? " entry" : " entries") +
                                        " could not be understood");
    if (s.method == states_method::sockstat)
        detail::append_phrase(text, "TIME-WAIT is an upper bound: it includes orphans in FIN-WAIT-2");
    detail::append_failure(text, "sock_diag", s.tcpdiag_error);
    detail::append_failure(text, "/proc/thread-self/net/tcp", s.proc_error);
    detail::append_failure(text, "/proc/thread-self/net/sockstat", s.sockstat_error);
    return text;
}

} // namespace closeside::host

#endif
