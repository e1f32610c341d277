// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_START_CLOSE_HPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_START_CLOSE_HPP

#include <closeside/detail/close/start_close.hpp>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

template <class Socket>
closing_socket<Socket> begin_close(Socket&& socket, const close_policy& policy, const close_manner& manner,
                                   close_action& first, last_bytes_memory last_bytes) noexcept {
    error_code ignored;
    // close(2) ends what is under way too, if it comes at once.
    if (!close_terms(policy).releases_at_once()) socket.cancel(ignored);
    closing_socket<Socket> closing(std::move(socket), policy, manner, std::move(last_bytes));
    first = closing.begin();
    return closing;
}

template <class Socket>
class unattended_close_op final : public close_op<Socket> {
public:
    unattended_close_op(closing_socket<Socket>&& closing, bool beside_executor, close_deadlines& deadlines)
        : close_op<Socket>(std::move(closing), beside_executor, deadlines) {}

private:
    void complete(std::shared_ptr<close_op<Socket>>, bool) override { this->count_end(); }
};

template <class Socket>
void start_unattended_close(Socket&& socket, const close_policy& policy, close_manner manner,
                            last_bytes_memory last_bytes) {
    manner.wants_report = false;
    close_action first;
    closing_socket<Socket> closing = begin_close(std::move(socket), policy, manner, first, std::move(last_bytes));
    if (first.what == close_action::kind::done) return;
    using op = unattended_close_op<Socket>;
    const auto executor = closing.socket().get_executor();
    close_deadlines& deadlines = close_deadlines::of(executor);
    close_op<Socket>::start(std::allocate_shared<op>(spare_allocator<op>(deadlines.spare), std::move(closing),
                                                     !runs_where_waits_end(executor), deadlines),
                            first, asio::cancellation_slot());
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
