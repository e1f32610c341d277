// SPDX-License-Identifier: BSL-1.0
// Every public member that the installed Asio's acceptor has is here, overload by overload, and gives with ours what it
// gives with Asio's: where a socket of Asio, there a stream.
#include <closeside/acceptor.hpp>

#include "asio_members/public_members.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

namespace cs = closeside;
using asio::ip::tcp;

namespace {

constexpr cs::close_policy policy = cs::policies::graceful;
using theirs = tcp::acceptor;
using ours = cs::acceptor<policy>;
using context_executor = asio::io_context::executor_type;

template <class T>
struct in_our_terms {
    using type = T;
};
template <class Executor>
struct in_our_terms<asio::basic_stream_socket<tcp, Executor>> {
    using type = cs::basic_stream<policy, Executor>;
};
template <class T>
struct in_our_terms<std::future<T>> {
    using type = std::future<typename in_our_terms<T>::type>;
};

/// What a call may need.
struct arguments {
    asio::io_context& context;
    const context_executor& executor;
    tcp::endpoint& endpoint;
    const tcp& protocol;
    cs::error_code& ec;
    asio::socket_base::keep_alive& option;
    asio::socket_base::bytes_readable& command;
};

template <class Call>
constexpr bool same(Call) {
    using of_theirs = std::invoke_result_t<Call, theirs&, tcp::socket&, arguments&>;
    using of_ours = std::invoke_result_t<Call, ours&, cs::stream<policy>&, arguments&>;
    return std::is_same_v<of_ours, typename in_our_terms<of_theirs>::type>;
}

/// For an overload of Asio's that cannot be called: its template parameter is in no parameter.
template <class Result, class Call>
constexpr bool gives(Call) {
    return std::is_same_v<std::invoke_result_t<Call, ours&, cs::stream<policy>&, arguments&>, Result>;
}

template <class... Arguments>
constexpr bool constructible =
    std::is_constructible_v<theirs, Arguments...>&& std::is_constructible_v<ours, Arguments...>;

#define SAME(...)                                                                                                      \
    same([]([[maybe_unused]] auto& a, [[maybe_unused]] auto& s, [[maybe_unused]] arguments& x) -> decltype(auto) {     \
        return __VA_ARGS__;                                                                                            \
    })

constexpr asio::use_future_t<> token;

struct member {
    const char* key;
    bool is_same;
};

constexpr member list[] = {
    {"accept/0", SAME(a.accept())},
    {"accept/1", SAME(a.accept(x.ec))},
    {"accept/1", SAME(a.accept(x.executor))},
    {"accept/1", SAME(a.accept(x.context))},
    {"accept/1", SAME(a.accept(s))},
    {"accept/1", SAME(a.accept(x.endpoint))},
    {"accept/2", SAME(a.accept(x.executor, x.ec))},
    {"accept/2", SAME(a.accept(x.context, x.ec))},
    {"accept/2", SAME(a.accept(s, x.ec))},
    {"accept/2", SAME(a.accept(x.endpoint, x.ec))},
    {"accept/2", SAME(a.accept(x.executor, x.endpoint))},
    {"accept/2", SAME(a.accept(x.context, x.endpoint))},
    {"accept/2", SAME(a.accept(s, x.endpoint))},
    {"accept/3", gives<cs::basic_stream<policy, context_executor>>(
                     [](auto& a, auto&, arguments& x) { return a.accept(x.executor, x.endpoint, x.ec); })},
    {"accept/3", SAME(a.accept(x.context, x.endpoint, x.ec))},
    {"accept/3", SAME(a.accept(s, x.endpoint, x.ec))},
    {"assign/2", SAME(a.assign(x.protocol, 7))},
    {"assign/3", SAME(a.assign(x.protocol, 7, x.ec))},
    {"async_accept/1", SAME(a.async_accept(token))},
    {"async_accept/2", SAME(a.async_accept(x.executor, token))},
    {"async_accept/2", SAME(a.async_accept(x.context, token))},
    {"async_accept/2", SAME(a.async_accept(s, token))},
    {"async_accept/2", SAME(a.async_accept(x.endpoint, token))},
    {"async_accept/3", SAME(a.async_accept(x.executor, x.endpoint, token))},
    {"async_accept/3", SAME(a.async_accept(x.context, x.endpoint, token))},
    {"async_accept/3", SAME(a.async_accept(s, x.endpoint, token))},
    {"async_wait/2", SAME(a.async_wait(asio::socket_base::wait_read, token))},
    {"basic_socket_acceptor/1", constructible<const asio::any_io_executor&>},
    {"basic_socket_acceptor/1", constructible<asio::io_context&>},
    {"basic_socket_acceptor/1", std::is_nothrow_move_constructible_v<ours>},
    {"basic_socket_acceptor/1", std::is_constructible_v<ours, cs::basic_acceptor<policy, context_executor>&&> &&
                                    !std::is_constructible_v<cs::basic_acceptor<policy, context_executor>, ours&&>},
    {"basic_socket_acceptor/2", constructible<const asio::any_io_executor&, tcp>},
    {"basic_socket_acceptor/2", constructible<asio::io_context&, tcp>},
    {"basic_socket_acceptor/3", constructible<const asio::any_io_executor&, tcp::endpoint, bool>},
    {"basic_socket_acceptor/3", constructible<asio::io_context&, tcp::endpoint, bool>},
    {"basic_socket_acceptor/3", constructible<const asio::any_io_executor&, tcp, int>},
    {"basic_socket_acceptor/3", constructible<asio::io_context&, tcp, int>},
    {"bind/1", SAME(a.bind(x.endpoint))},
    {"bind/2", SAME(a.bind(x.endpoint, x.ec))},
    {"cancel/0", SAME(a.cancel())},
    {"cancel/1", SAME(a.cancel(x.ec))},
    {"close/0", SAME(a.close())},
    {"close/1", SAME(a.close(x.ec))},
    {"endpoint_type", std::is_same_v<ours::endpoint_type, theirs::endpoint_type>},
    {"executor_type", std::is_same_v<ours::executor_type, theirs::executor_type>},
    // The newest Asios give a reference.
    {"get_executor/0", std::is_convertible_v<decltype(std::declval<ours&>().get_executor()), theirs::executor_type>},
    {"get_option/1", SAME(std::as_const(a).get_option(x.option))},
    {"get_option/2", SAME(std::as_const(a).get_option(x.option, x.ec))},
    {"io_control/1", SAME(a.io_control(x.command))},
    {"io_control/2", SAME(a.io_control(x.command, x.ec))},
    {"is_open/0", SAME(std::as_const(a).is_open())},
    {"listen/1", SAME(a.listen(7))},
    {"listen/2", SAME(a.listen(7, x.ec))},
    {"local_endpoint/0", SAME(std::as_const(a).local_endpoint())},
    {"local_endpoint/1", SAME(std::as_const(a).local_endpoint(x.ec))},
    {"native_handle/0", SAME(a.native_handle())},
    {"native_handle_type", std::is_same_v<ours::native_handle_type, theirs::native_handle_type>},
    {"native_non_blocking/0", SAME(std::as_const(a).native_non_blocking())},
    {"native_non_blocking/1", SAME(a.native_non_blocking(true))},
    {"native_non_blocking/2", SAME(a.native_non_blocking(true, x.ec))},
    {"non_blocking/0", SAME(std::as_const(a).non_blocking())},
    {"non_blocking/1", SAME(a.non_blocking(true))},
    {"non_blocking/2", SAME(a.non_blocking(true, x.ec))},
    {"open/1", SAME(a.open(x.protocol))},
    {"open/2", SAME(a.open(x.protocol, x.ec))},
    {"operator=/1", std::is_nothrow_move_assignable_v<ours>},
    {"operator=/1", std::is_assignable_v<ours&, cs::basic_acceptor<policy, context_executor>&&>},
    {"protocol_type", std::is_same_v<ours::protocol_type, theirs::protocol_type>},
    {"rebind_executor",
     std::is_same_v<ours::rebind_executor<context_executor>::other, cs::basic_acceptor<policy, context_executor>>},
    {"release/0", SAME(a.release())},
    {"release/1", SAME(a.release(x.ec))},
    {"set_option/1", SAME(a.set_option(x.option))},
    {"set_option/2", SAME(a.set_option(x.option, x.ec))},
    {"wait/1", SAME(a.wait(asio::socket_base::wait_read))},
    {"wait/2", SAME(a.wait(asio::socket_base::wait_read, x.ec))},
    {"~basic_socket_acceptor/0", std::is_nothrow_destructible_v<ours>},
};
#undef SAME

static_assert(std::is_base_of_v<asio::socket_base, ours>); // Asio's options and flags by the acceptor's name

} // namespace

TEST_CASE("Every public member of Asio's acceptor is listed, and ours has it with the same signature") {
    std::map<std::string, int> listed;
    for (const member& m : list) {
        CHECK_MESSAGE(m.is_same, m.key);
        ++listed[m.key];
    }
    auto found = asio_members::public_members(CLOSESIDE_ACCEPTOR_HEADER, "basic_socket_acceptor");
    found["native_handle_type"] = 1; // once for each system
    for (const auto& [key, count] : found) CHECK_MESSAGE(listed[key] == count, key);
    CHECK(found.size() > 40);
}

TEST_CASE("A member that is not listed is seen, behind templates, macros and comments") {
    const std::string text = "class a;\nclass a\n  : public b\n{\npublic:\n  // int comment();\n"
                             "  template <typename T, MACRO(void (int, T))>\n  MACRO(T, void (int))\n"
                             "  f(const T& t, typename constraint<is<T, T>::value>::type = 0)\n  { not_a(); }\n"
                             "  typedef x y;\nprivate:\n  int hidden();\n};\n";
    const std::string file = "asio_members_sample.hpp";
    std::ofstream(file) << text;
    const auto found = asio_members::public_members(file, "a");
    std::remove(file.c_str());
    CHECK(found == std::map<std::string, int>{{"f/1", 1}, {"y", 1}});
}
