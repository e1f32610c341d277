// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_TCP_SOCKET_HPP
#define CLOSESIDE_DETAIL_KERNEL_TCP_SOCKET_HPP

#include <closeside/detail/kernel/answers.hpp>
#include <closeside/detail/kernel/last_sample.hpp>
#include <closeside/detail/kernel/own_time_wait.hpp>
#include <closeside/detail/kernel/socket_options.hpp>
#include <closeside/detail/kernel/tcp_info.hpp>
#include <closeside/detail/kernel/tcp_state.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace closeside::detail {

/// The raw kernel calls of the close. None blocks, whatever O_NONBLOCK says, and none throws.
struct tcp_socket : socket_options {
    /// How much the kernel filled in; 0 on a socket that is not TCP.
    static std::size_t info(int fd, tcp_info& to) noexcept {
        socklen_t size = sizeof to;
        return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &to, &size) == 0 ? size : 0;
    }

    static tcp_state state(int fd) noexcept {
        unsigned char first_byte = 0; // tcpi_state
        socklen_t size = sizeof first_byte;
        if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &first_byte, &size) != 0) return tcp_state::unknown;
        return static_cast<tcp_state>(first_byte);
    }

    /// The result of an ioctl that counts bytes; 0 if the kernel gives no number.
    static std::uint64_t count_bytes(int fd, unsigned long request) noexcept {
        int bytes = 0;
        return ::ioctl(fd, request, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
    }

    /// Bytes of ours that the peer has not acknowledged, without a FIN of ours that is out.
    static std::uint64_t unacknowledged(int fd, bool fin_out) noexcept {
        const std::uint64_t bytes = count_bytes(fd, SIOCOUTQ);
        return fin_out && bytes > 0 ? bytes - 1 : bytes;
    }

    /// Takes the pending error off the socket.
    static int take_error(int fd) noexcept {
        int error = 0;
        socklen_t size = sizeof error;
        return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
    }

    /// RST for everybody who holds the socket, with SO_LINGER as it is (tcp_disconnect).
    /** False if the kernel refuses it, as some do while another thread waits in a call on the socket. */
    static bool disconnect(int fd) noexcept {
        ::sockaddr nobody{};
        nobody.sa_family = AF_UNSPEC;
        return ::connect(fd, &nobody, sizeof nobody) == 0;
    }

    /// Does the error say that the peer's RST came in? EPIPE: in CLOSE-WAIT (tcp_reset).
    static constexpr bool is_reset(int error) noexcept { return error == ECONNRESET || error == EPIPE; }

    /// Of a call that counts bytes: how many, or the errno below zero, as the kernel itself answers.
    static long answer(long n) noexcept { return n >= 0 ? n : -errno; }

    /// Discards up to `bytes` inside the kernel: MSG_TRUNC on TCP copies nothing (tcp(7)).
    /** The bare system call, since sanitizers take the null buffer of a recv() for one that n bytes were written to. Never
     *  inlined: valgrind complains of that buffer, and cmake/closeside.supp knows it by the name of this function. */
    [[gnu::noinline]] static long receive(int fd, std::size_t bytes) noexcept {
        return answer(::syscall(SYS_recvfrom, fd, nullptr, bytes, MSG_TRUNC | MSG_DONTWAIT, nullptr, nullptr));
    }

    /// Looks for one more byte and leaves it where it is.
    static long peek(int fd) noexcept {
        char byte;
        return answer(::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
    }

    /// Throws away what is in the error queue (zero-copy completions, time stamps), which keeps poll(2) from waiting.
    static void empty_error_queue(int fd) noexcept {
        constexpr int most = 1 << 16; // who adds to it faster than it is emptied must not hold the thread
        for (int i = 0; i < most; ++i) {
            ::msghdr nothing{};
            if (::recvmsg(fd, &nothing, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
        }
    }

    /// Queues what there is room for. -EPIPE: behind a FIN of the program's, or on a dead socket, nothing can be sent.
    static long send(int fd, const void* bytes, std::size_t size) noexcept {
        return answer(::send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT));
    }

    static short poll_now(int fd, short events) noexcept {
        ::pollfd connection{fd, events, 0};
        return ::poll(&connection, 1, 0) > 0 ? connection.revents : short{0};
    }

    /// Is the peer's FIN in, or the connection gone? Takes half the time of TCP_INFO, which gathers all that it tells.
    static bool hung_up(int fd) noexcept { return poll_now(fd, POLLRDHUP) != 0; }

    /// Which of the states just before and just after are to be looked up, to tell who was first?
    /** FIN-WAIT-1 afterwards stands for FIN-WAIT-2 too. */
    static half_close_answer half_close(int fd, bool look_before = true, bool look_after = true) noexcept {
        half_close_answer a;
        const bool ended = look_before && hung_up(fd);
        if (look_before) a.before = state(fd);
        if (::shutdown(fd, SHUT_WR) != 0) {
            a.error = errno;
            if (a.error == ENOTCONN) why_dead(fd, a);
            return a;
        }
        // The peer's FIN would have led to another state, so that it was the program's SHUT_RD.
        a.reading_shut = ended && is_before_fin(a.before);
        if (!look_after) return a;
        a.after = hung_up(fd) ? state(fd) : tcp_state::fin_wait1;
        if (a.after != tcp_state::close) return a;
        // In SYN-SENT shutdown(2) has disconnected the socket, and left ECONNRESET on it.
        if (never_connected(fd)) a.error = ENOTCONN;
        // Unless it is in TIME-WAIT here, the peer's FIN may have come since the last look, and led here by LAST-ACK.
        else if (a.before != tcp_state::close_wait && !is_in_time_wait(fd))
            a.after = tcp_state::unknown;
        return a;
    }

    /// Can the peer's FIN still come?
    static constexpr bool is_before_fin(tcp_state s) noexcept {
        return s == tcp_state::established || s == tcp_state::syn_received || s == tcp_state::fin_wait1 ||
               s == tcp_state::fin_wait2;
    }

    /// Of a socket in CLOSE. The receive window's measure is set when a connection is made.
    static bool never_connected(int fd) noexcept {
        tcp_info i{};
        return info(fd, i) != 0 && i.rcv_space == 0;
    }

    /// Has the peer acknowledged every byte and our FIN? 0, EAGAIN, or the error that has ended the connection.
    static int check_acked(int fd) noexcept {
        switch (state(fd)) {
        case tcp_state::fin_wait1:
        case tcp_state::closing:
        case tcp_state::syn_received: // the FIN waits for the handshake's end (TCP Fast Open)
        case tcp_state::last_ack: return EAGAIN;
        case tcp_state::established: // of a subflow of Multipath TCP
            return count_bytes(fd, SIOCOUTQ) == 0 ? 0 : EAGAIN;
        case tcp_state::close: return take_error(fd);
        default: return 0;
        }
    }

    /// The whole connection, to tell whether more has been acknowledged. `flushes`: see flush().
    /** `compares`: what is acknowledged between the two calls must not count as of an older acknowledgement's time. */
    static connection_look look(int fd, bool fin_out, bool flushes, bool compares) noexcept {
        const std::uint64_t bytes = compares ? unacknowledged(fd, fin_out) : 0;
        tcp_info i{};
        const std::size_t size = info(fd, i);
        connection_look l{.state = static_cast<tcp_state>(i.state),
                          .acked_ago = i.last_ack_recv,
                          .sent_ago = i.last_data_sent,
                          .input_ago = i.last_data_recv};
        const bool tells_unsent = size >= offsetof(tcp_info, min_rtt);
        if (flushes && (!tells_unsent || i.notsent_bytes != 0)) flush(fd);
        if (!tells_unsent || i.unacked != 0 || i.notsent_bytes != 0)
            l.unacknowledged = compares ? bytes : unacknowledged(fd, fin_out);
        return l;
    }

    /// Has the peer acknowledged all that was sent, a FIN included? False if the kernel does not say.
    static bool all_acknowledged(int fd) noexcept {
        int bytes = 0;
        return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes == 0;
    }

    /// Does a read stop at an urgent byte, or has it been read out of band only? SIOCINQ counts neither.
    static bool at_urgent_mark(int fd) noexcept { return count_bytes(fd, SIOCATMARK) != 0; }

    /// Is the peer's FIN in? TCP_INQ counts it as a byte (Linux 5.1), SIOCINQ does not.
    static bool fin_is_in(int fd) noexcept {
        constexpr int inq = 36; // TCP_INQ and TCP_CM_INQ
        const int on = 1, off = 0;
        if (!set_option(fd, IPPROTO_TCP, inq, &on, sizeof on)) return false;
        alignas(::cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
        ::msghdr message{};
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        int left = 0;
        if (::recvmsg(fd, &message, MSG_DONTWAIT) == 0)
            for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c))
                if (c->cmsg_level == IPPROTO_TCP && c->cmsg_type == inq)
                    left = *reinterpret_cast<const int*>(CMSG_DATA(c));
        set_option(fd, IPPROTO_TCP, inq, &off, sizeof off);
        return left > 0 && static_cast<std::uint64_t>(left) == count_bytes(fd, SIOCINQ) + 1;
    }

    /// The connection just before close(2). `at_eof`: no input can be waiting.
    static last_sample sample(int fd, bool our_fin, bool at_eof, bool aborting) noexcept {
        // Both FINs are through, and no RST came before: one that did would have left ours unacknowledged.
        if (our_fin && at_eof && all_acknowledged(fd))
            return {.state = tcp_state::close, .left = last_sample::remains::both_fins};
        last_sample s;
        short events = 0;
        if (!our_fin && !at_eof) {
            events = poll_now(fd, POLLIN | POLLPRI | POLLOUT | POLLRDHUP);
            // Room to send, and neither FIN nor RST: poll(2) tells of all that is unread.
            if (events & (POLLRDHUP | POLLHUP | POLLERR)) events = 0;
        }
        const bool quiet = (events & POLLOUT) != 0;
        s.state = state(fd); // the program may have half-closed, which poll(2) does not show
        if (s.state == tcp_state::close) {
            end_of(fd, our_fin, s);
            return s;
        }
        // A subflow of Multipath TCP is ESTABLISHED with the connection's FIN out.
        const bool fin_unacknowledged = s.state == tcp_state::fin_wait1 || s.state == tcp_state::closing ||
                                        s.state == tcp_state::last_ack ||
                                        (our_fin && s.state == tcp_state::established);
        if (s.state != tcp_state::fin_wait2) s.unacknowledged = unacknowledged(fd, fin_unacknowledged);
        if (!at_eof) s.unread = quiet ? (events & (POLLIN | POLLPRI)) != 0 : count_bytes(fd, SIOCINQ) > 0;
        if (!at_eof && !s.unread) s.unread = at_urgent_mark(fd);
        if (aborting && fin_unacknowledged) s.unsent = count_bytes(fd, SIOCOUTQNSD) > 0;
        return s;
    }

private:
    /// Of a socket in CLOSE, which shutdown(2) refuses: never connected, or dead by now.
    /** Only the former answers a read with ENOTCONN (tcp_recvmsg). */
    static void why_dead(int fd, half_close_answer& a) noexcept {
        const long n = peek(fd);
        a.gone = n >= 0 || n == -EAGAIN;
        a.error = a.gone ? 0 : static_cast<int>(-n);
    }

    /// Of a socket in CLOSE: what has ended the connection.
    static void end_of(int fd, bool our_fin, last_sample& s) noexcept {
        tcp_info i{};
        const std::size_t size = info(fd, i);
        // At end of file too: a socket that has had the peer's FIN reads 0 and never tells of a reset (tcp_recvmsg).
        const int error = take_error(fd);
        const bool reset = is_reset(error);
        if (size != 0 && i.rcv_space == 0) { // as in never_connected(); what is unacknowledged is our SYN
            s.left = last_sample::remains::never_connected;
            if (!reset) s.failure = error; // ECONNREFUSED, say; a reset is left behind by shutdown(2) in SYN-SENT
            return;
        }
        s.unacknowledged = unacknowledged(fd, our_fin);
        s.reset = reset;
        s.reset_after_fin = error == EPIPE;
        if (error != 0 && !reset) s.failure = error;
        if (error == 0) s.left = remains(fd, i, size, our_fin);
    }

    /// … on which no error is left.
    static last_sample::remains remains(int fd, const tcp_info& i, std::size_t size, bool our_fin) noexcept {
        using remains = last_sample::remains;
        if (!all_acknowledged(fd) || !fin_is_in(fd)) return remains::nothing;
        if (!our_fin && is_in_time_wait(fd)) return remains::time_wait;
        if (size <= offsetof(tcp_info, bytes_retrans)) return remains::acked;
        // Who connected has had a SYN acknowledged, who accepted has not. One alone tells nothing.
        const std::uint64_t beyond_data = i.bytes_acked - (i.bytes_sent - i.bytes_retrans);
        return beyond_data == 2 ? remains::both_fins : beyond_data == 1 ? remains::acked : remains::nothing;
    }
};

} // namespace closeside::detail

#endif
