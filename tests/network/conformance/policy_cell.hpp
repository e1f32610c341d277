// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_POLICY_CELL_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_POLICY_CELL_HPP

#include "group.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/close.hpp>
#include <closeside/stream.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace conformance {

inline constexpr std::size_t reply_size = 1000;
inline constexpr std::size_t long_reply_size = 500'000; // 10 s for the slow reader

/// A peer that reads gets a reply, which no orderly close may lose.
inline constexpr bool is_replied_to(peer_kind p) noexcept {
    switch (p) {
    case peer_kind::closes_on_eof:
    case peer_kind::multipath_closes_on_eof:
    case peer_kind::multipath_silent:
    case peer_kind::half_closes_first:
    case peer_kind::pipelined:
    case peer_kind::asks_later:
    case peer_kind::goodbye:
    case peer_kind::urgent:
    case peer_kind::shared:
    case peer_kind::shut_rd:
    case peer_kind::shut_rd_later:
    case peer_kind::shut_both_later:
    case peer_kind::our_fin_before:
    case peer_kind::our_fin_after: return true;
    default: return false;
    }
}

template <cs::close_policy P>
class policy_cell final : public cell {
public:
    using stream = cs::stream<P>;
    using acceptor = cs::acceptor<P>;

    policy_cell(asio::io_context& io, acceptor& shared_listener, evidence& e, std::deque<peer>& far_ends,
                peers*& others)
        : cell(e, others), io_(io), timer_(io) {
        acceptor& listener = listener_for(e.id, shared_listener);
        if (e.id.peer != peer_kind::reads_slowly) keep_buffers_small(listener.native_handle());
        e.local = listener.local_endpoint();
        if (e.id.way == way_out::nobody_took) begin_an_accept_that_will_be_destroyed();
        peer_ = &far_ends.emplace_back(e.id.peer, e.local);
        e.peer = peer_->local();
        if (never_connected(e.id.peer))
            connect_in_vain();
        else if (e.id.way != way_out::nobody_took)
            stream_.emplace(listener.accept());
        own_listener_.reset();
        prepare();
    }

    ~policy_cell() override {
        if (closing_thread_.joinable()) closing_thread_.join();
        if (other_holder_ >= 0) ::close(other_holder_);
    }

    void settle() override {
        switch (evidence_.id.peer) {
        case peer_kind::stops_reading: wait_for_full_queue(); break;
        // Before its handshake is through, Multipath TCP sends its FIN late and the peer's kernel does not hear it.
        case peer_kind::multipath_closes_on_eof:
        case peer_kind::multipath_silent: wait_until_acknowledged(); break;
        case peer_kind::took_timeout: take(asio::error::timed_out); break;
        // The FIN that was dropped is sent again.
        case peer_kind::fins_crossed: wait_for(kernel_view::time_wait); break;
        // The acknowledgement of our FIN is delayed by 40 ms.
        case peer_kind::our_fin_alone:
        case peer_kind::shut_both_later: wait_for(kernel_view::fin_wait2); break;
        default: break;
        }
        // Coroutines that only have to be there when their context goes.
        if (evidence_.id.way == way_out::context_gone) hold_in_coroutine();
    }

    std::uint64_t queued() {
        int bytes = 0;
        ::ioctl(stream_->socket().native_handle(), SIOCOUTQ, &bytes);
        return static_cast<std::uint64_t>(bytes);
    }

    void wait_for_full_queue() {
        // A delayed acknowledgement would change the send queue in the middle of the close.
        if (stream_) kernel_view::eventually([&] { return queued() + peer_->unread() == evidence_.written; });
    }

    void wait_until_acknowledged() {
        if (stream_) kernel_view::eventually([&] { return queued() == 0; });
    }

    bool finished() const override { return finished_; }

    asio::io_context& context() noexcept override { return own_io_ ? *own_io_ : io_; }

    void go() override {
        begin();
        switch (evidence_.id.way) {
        case way_out::async_close: stream_->async_close(handler()); break;
        case way_out::with_last_bytes: close_with_last_bytes(); break;
        case way_out::plain_socket: cs::async_close(stream_->release_socket(), P, handler()); break;
        case way_out::cancel_partial: close_and_cancel(asio::cancellation_type::partial); break;
        case way_out::cancel_terminal: close_and_cancel(asio::cancellation_type::terminal); break;
        case way_out::blocking_close: close_blocking(); break;
        case way_out::abort: stream_->abort(); break;
        case way_out::destructor: stream_.reset(); break;
        case way_out::move_assignment: *stream_ = stream(io_); break;
        case way_out::coroutine_throws: throw_out_of_coroutine(); break;
        case way_out::scope_throws: throw_out_of_scope(); break;
        case way_out::context_gone: destroy_context(); break;
        case way_out::context_gone_mid_close: close_and_destroy_context(); break;
        case way_out::nobody_took: destroy_context(); break;
        }
    }

private:
    /// Accepted sockets inherit them.
    static void keep_buffers_small(int listener) {
        const int small = 64 * 1024;
        ::setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        ::setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }

    static bool ends_with_context(way_out w) {
        return w == way_out::context_gone || w == way_out::context_gone_mid_close || w == way_out::nobody_took;
    }

    acceptor& listener_for(const cell_id& id, acceptor& shared) {
        if (ends_with_context(id.way)) own_io_ = std::make_unique<asio::io_context>();
        const tcp::endpoint at(shared.local_endpoint().address(), 0);
        if (is_multipath(id.peer)) return own_listener_.emplace(acceptor::adopt(context(), listen_multipath(at)));
        return own_io_ ? own_listener_.emplace(*own_io_, at) : shared;
    }

    static int listen_multipath(const tcp::endpoint& at) {
        const int fd = ::socket(at.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, multipath_tcp);
        if (::bind(fd, at.data(), static_cast<socklen_t>(at.size())) != 0 || ::listen(fd, 5) != 0)
            throw std::runtime_error("Multipath TCP: listen");
        return fd;
    }

    /// Of a stream that the program connects, to a peer that does not let it.
    void connect_in_vain() {
        asio::ip::tcp::socket& s = stream_.emplace(context()).socket();
        s.open(evidence_.peer.protocol());
        s.bind({evidence_.peer.address(), 0});
        evidence_.local = s.local_endpoint();
        s.non_blocking(true);
        closeside::error_code ec;
        if (evidence_.id.peer == peer_kind::connecting)
            s.async_connect(evidence_.peer, [](closeside::error_code) {});
        else if (evidence_.id.peer == peer_kind::refused)
            s.connect(evidence_.peer, ec);
        if (evidence_.id.peer == peer_kind::refused && ec != asio::error::connection_refused)
            throw std::runtime_error("refused: " + ec.message());
    }

    void wait_for(kernel_view::tcp_state state) {
        if (!kernel_view::eventually([&] { return kernel_view::state(evidence_.local, evidence_.peer) == state; }))
            throw std::runtime_error(to_string(evidence_.id) + " does not begin as it should");
    }

    /// The program's own read takes the error.
    void take(closeside::error_code expected) {
        char byte;
        closeside::error_code ec;
        stream_->socket().non_blocking(true);
        kernel_view::eventually([&] {
            stream_->read_some(asio::buffer(&byte, 1), ec);
            return ec && ec != asio::error::would_block;
        });
        if (ec != expected) throw std::runtime_error(to_string(evidence_.id) + ": " + ec.message());
    }

    void prepare() {
        const peer_kind kind = evidence_.id.peer;
        if (stream_ && is_replied_to(kind)) write(std::string(reply_size, 'r'));
        if (stream_ && kind == peer_kind::stops_reading) fill_send_queue();
        if (stream_ && kind == peer_kind::reads_slowly) write(std::string(long_reply_size, 'r'));
        if (cuts_mid_way(evidence_.id.way)) peer_->waits_for_order();
        if (kind == peer_kind::fins_crossed) make_deaf(stream_->socket().native_handle(), true);
        peer_->prepare();
        switch (kind) {
        case peer_kind::closes_first:
        case peer_kind::half_closes_first:
        case peer_kind::our_fin_after: wait_for(kernel_view::close_wait); break;
        case peer_kind::resets_at_once:
        case peer_kind::took_reset:
        case peer_kind::multipath_took_reset:
        case peer_kind::fin_data_reset: wait_for(kernel_view::none); break;
        case peer_kind::multipath_closes_first:
            if (stream_) wait_for_input();
            break;
        default: break;
        }
        if (stream_) act(kind);
    }

    /// What the program does to the connection before it closes it.
    void act(peer_kind kind) {
        asio::ip::tcp::socket& s = stream_->socket();
        const int fd = s.native_handle();
        switch (kind) {
        case peer_kind::urgent: wait_for_input(POLLPRI); break;
        case peer_kind::shared: other_holder_ = ::dup(fd); break;
        case peer_kind::shut_rd:
        case peer_kind::shut_rd_later:
        case peer_kind::shut_rd_trickles: s.shutdown(tcp::socket::shutdown_receive); break;
        case peer_kind::shut_both_later: s.shutdown(tcp::socket::shutdown_both); break;
        case peer_kind::our_fin_alone: s.shutdown(tcp::socket::shutdown_send); break;
        case peer_kind::our_fin_before:
            s.shutdown(tcp::socket::shutdown_send);
            peer_->read_to_the_end();
            wait_for(kernel_view::time_wait);
            break;
        case peer_kind::our_fin_after:
            s.shutdown(tcp::socket::shutdown_send);
            peer_->read_to_the_end();
            wait_for(kernel_view::none);
            break;
        case peer_kind::fins_crossed:
            s.shutdown(tcp::socket::shutdown_send);
            peer_->read_to_the_end();
            make_deaf(fd, false);
            break;
        case peer_kind::multipath_took_reset:
        case peer_kind::took_reset: take(asio::error::connection_reset); break;
        case peer_kind::took_timeout: {
            const unsigned soon = 100; // ms
            ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &soon, sizeof soon);
            write("unheard");
            break;
        }
        default: break;
        }
    }

    void wait_for_input(short events = POLLIN) {
        ::pollfd input{stream_->socket().native_handle(), events, 0};
        if (::poll(&input, 1, 5000) != 1) throw std::runtime_error(to_string(evidence_.id) + ": no input");
    }

    /// All of it into the send queue, or else throws.
    void write(const std::string& data) {
        stream_->socket().non_blocking(true);
        evidence_.written += asio::write(*stream_, asio::buffer(data));
    }

    void fill_send_queue() {
        const std::string data(64 * 1024, 'r');
        stream_->socket().non_blocking(true);
        for (closeside::error_code ec; !ec;) evidence_.written += stream_->write_some(asio::buffer(data), ec);
    }

    auto handler() {
        finished_ = false;
        return [this](closeside::error_code ec, const cs::close_report& report) {
            told(ec, report);
            finished_ = true;
        };
    }

    void close_with_last_bytes() {
        stream_->async_close(cs::last_bytes(asio::buffer("goodbye", 7)),
                             [this, tell = handler()](closeside::error_code ec, const cs::close_report& report) {
                                 const bool sent = report.last_bytes == cs::last_bytes_fate::sent;
                                 const peer_kind kind = evidence_.id.peer;
                                 const bool counts = is_replied_to(kind) || kind == peer_kind::stops_reading ||
                                                     kind == peer_kind::reads_slowly;
                                 if (sent && counts) evidence_.written += 7;
                                 tell(ec, report);
                             });
    }

    template <class Cut>
    void cut_later(Cut cut) {
        timer_.expires_after(cut_after);
        timer_.async_wait([this, cut](closeside::error_code) {
            if (evidence_.calls == 0) {
                cut_here();
                cut();
            }
            peer_->act_now();
        });
    }

    void close_and_cancel(asio::cancellation_type type) {
        stream_->async_close(asio::bind_cancellation_slot(signal_.slot(), handler()));
        cut_later([this, type] { signal_.emit(type); });
    }

    void close_blocking() {
        finished_ = false;
        closing_thread_ = std::thread([this] {
            evidence_.started = wall_clock::now();
            closeside::error_code ec;
            const cs::close_report report = stream_->close_and_wait(ec);
            told(ec, report);
            finished_ = true;
        });
    }

    void throw_out_of_coroutine() {
        finished_ = false;
        asio::co_spawn(
            io_,
            [](stream mine) -> asio::awaitable<void> {
                co_await asio::post(asio::use_awaitable);
                if (mine.is_open()) throw std::runtime_error("out of the coroutine");
            }(std::move(*stream_)),
            [this](std::exception_ptr thrown) { finished_ = thrown != nullptr; });
    }

    void throw_out_of_scope() {
        try {
            const stream mine(std::move(*stream_));
            if (mine.is_open()) throw std::runtime_error("out of the scope");
            finished_ = false;
        } catch (const std::runtime_error&) {
        }
    }

    void hold_in_coroutine() {
        asio::co_spawn(
            *own_io_,
            [](stream mine) -> asio::awaitable<void> {
                asio::steady_timer never(mine.get_executor(), std::chrono::hours(1));
                co_await never.async_wait(asio::use_awaitable);
                mine.abort();
            }(std::move(*stream_)),
            asio::detached);
        stream_.reset();
        own_io_->poll();
    }

    void begin_an_accept_that_will_be_destroyed() {
        asio::co_spawn(
            *own_io_,
            [](acceptor mine, evidence& e) -> asio::awaitable<void> {
                stream taken = co_await mine.async_accept(asio::use_awaitable);
                e.taken = taken.is_open();
            }(std::move(*own_listener_), evidence_),
            asio::detached);
        own_io_->poll();
    }

    void destroy_context() {
        cut_here();
        own_io_.reset();
    }

    void close_and_destroy_context() {
        stream_->async_close([this](closeside::error_code, const cs::close_report&) { ++evidence_.calls; });
        stream_.reset();
        cut_later([this] { own_io_.reset(); });
    }

    asio::io_context& io_;
    std::unique_ptr<asio::io_context> own_io_;
    std::optional<acceptor> own_listener_;
    std::optional<stream> stream_;
    asio::cancellation_signal signal_;
    asio::steady_timer timer_;
    std::thread closing_thread_;
    int other_holder_ = -1;
    std::atomic<bool> finished_ = true;
};

/// Opens the listener that the cells of a group share, and returns what makes the cells.
template <cs::close_policy P>
cell_maker open_group(asio::io_context& io, const asio::ip::address& address) {
    auto listener = std::make_shared<cs::acceptor<P>>(io, tcp::endpoint(address, 0));
    return [listener](asio::io_context& context, evidence& e, std::deque<peer>& far_ends,
                      peers*& others) -> std::unique_ptr<cell> {
        return std::make_unique<policy_cell<P>>(context, *listener, e, far_ends, others);
    };
}

} // namespace conformance

#endif
