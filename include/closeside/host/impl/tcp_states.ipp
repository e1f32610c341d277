// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_TCP_STATES_IPP
#define CLOSESIDE_HOST_IMPL_TCP_STATES_IPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/tcp_states.hpp>

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

CLOSESIDE_DECL std::string tcp_states::why_not_better() const {
    std::string text;
    if (stopped)
        detail::append_phrase(text, detail::compose("stopped after {} ms: the counts are those of a part of the table",
                                                    {elapsed.count() / 1000}));
    if (interrupted) detail::append_phrase(text, "the table changed so much that the kernel lost its place in it");
    if (malformed != 0)
        detail::append_phrase(
            text, detail::compose("{}{} could not be understood", {malformed, malformed == 1 ? " entry" : " entries"}));
    if (method == source::sockstat)
        detail::append_phrase(text, "TIME-WAIT is an upper bound: it includes orphans in FIN-WAIT-2");
    detail::append_failure(text, "sock_diag", tcpdiag_error);
    detail::append_failure(text, "/proc/thread-self/net/tcp", proc_error);
    detail::append_failure(text, "/proc/thread-self/net/sockstat", sockstat_error);
    return text;
}

} // namespace closeside::host

#endif
