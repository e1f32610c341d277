// SPDX-License-Identifier: BSL-1.0
// An HTTP server that is restarted under load, without a lost request and without a refused or reset connection. What is
// handed over is the listening socket itself: its backlog belongs to whoever holds it, and closing one copy resets nothing.
//
//   hot_restart exec ADDRESS PORT          SIGHUP starts the program anew; the new process inherits the listener
//   hot_restart socket ADDRESS PORT PATH   started again, it takes the listener from the process that serves PATH
//   hot_restart systemd                    systemd holds the listener (hot_restart.socket); SIGHUP as above
//
// SIGTERM stops it, a second one at once. --notice=MS: how long clients are told to go before idle connections are closed.
#include <closeside/closeside.hpp>
#include <closeside/orderly_stop.hpp>

#include "number.hpp"
#include "service_manager.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cs = closeside;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using asio::use_awaitable;
using unix_protocol = asio::local::stream_protocol;

inline constexpr cs::close_policy front_end = cs::policies::graceful;
using connection = cs::stream<front_end>;
using acceptor = cs::acceptor<front_end>;

// A new process that is not ready by then is given up, and the old one serves on.
constexpr auto longest_start = 10s;

struct settings {
    std::vector<std::string> operands; // the mode first
    std::chrono::milliseconds notice = 300ms;
    int listener = -1; // what a successor inherits: the listener, and where to say that it is ready
    int ready = -1;
};

struct server {
    explicit server(settings chosen) : options(std::move(chosen)) {}

    settings options;
    asio::io_context io{1};
    acceptor listener{io};
    unix_protocol::acceptor successors{io}; // mode socket
    asio::signal_set signals{io, SIGINT, SIGTERM, SIGHUP};
    cs::orderly_stop stop{io};
    std::size_t served = 0;
    bool restarting = false;
};

std::ostream& log() { return std::clog << "hot_restart " << ::getpid() << ": "; }

[[noreturn]] void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

// A request is a head without a body, which is all that this server knows of HTTP.
asio::awaitable<void> session(connection client, server& here) {
    cs::orderly_stop::member member(here.stop, client);
    cs::error_code ec;
    auto no_throw = asio::redirect_error(use_awaitable, ec);
    bool told = false;
    for (std::string input; !told;) {
        // Nothing of a next request is here: a stop may end this wait, and nothing else of the session.
        if (input.empty()) co_await client.async_wait(connection::wait_read, member.idle(no_throw));
        if (ec) break;
        const std::size_t head =
            co_await asio::async_read_until(client, asio::dynamic_buffer(input, 8192), "\r\n\r\n", no_throw);
        if (ec) break;
        input.erase(0, head);
        told = member.stopping(); // asked once for each reply: it says so in the protocol, and then the session ends
        const std::string body = std::to_string(::getpid()) + '\n';
        const std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                                  (told ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n") + body;
        co_await asio::async_write(client, asio::buffer(reply), no_throw);
        if (ec) break;
        ++here.served;
    }
    // Who was told closes first, and TIME-WAIT is there. Who was not must see our FIN at once.
    co_await client.async_close(told ? cs::policies::peer_first : front_end, no_throw);
}

asio::awaitable<void> accept_loop(server& here) {
    while (true) {
        cs::error_code ec;
        connection client = co_await here.listener.async_accept(asio::redirect_error(use_awaitable, ec));
        if (ec) co_return; // closed by the stop, or released for a successor
        asio::co_spawn(here.io, session(std::move(client), here), asio::detached);
    }
}

asio::awaitable<void> end(server& here) {
    cs::error_code ec;
    const cs::stop_report report = co_await here.stop.async_stop({.notice = here.options.notice, .within = 10s},
                                                                 asio::redirect_error(use_awaitable, ec));
    log() << "stopped: served=" << here.served << ' ' << report << '\n';
    here.signals.cancel();
    here.successors.close(ec);
}

// The successor has the listener and accepts. Our copy goes before the stop, which would accept what waits in the backlog:
// that is the successor's now. Not "STOPPING=1": for the service manager the service goes on.
asio::awaitable<void> leave_to_successor(server& here) {
    log() << "handed over\n";
    ::close(here.listener.release());
    here.successors.close();
    co_await end(here);
}

// A byte means that it accepts; the end of the file, or silence, that it has failed.
template <class Stream>
asio::awaitable<bool> becomes_ready(Stream& successor) {
    cs::error_code ec;
    char byte = 0;
    asio::steady_timer limit(successor.get_executor(), longest_start);
    const auto first =
        co_await (asio::async_read(successor, asio::buffer(&byte, 1), asio::redirect_error(use_awaitable, ec)) ||
                  limit.async_wait(use_awaitable));
    co_return first.index() == 0 && !ec;
}

// exec: everything that the process opens is close-on-exec, but for what is passed on.

[[noreturn]] void become_successor(char* const* arguments, int listener, int ready) {
    // Of the child alone, between fork and exec: the flags of the old process stay as they are.
    ::fcntl(listener, F_SETFD, 0);
    ::fcntl(ready, F_SETFD, 0);
    ::execvp(arguments[0], arguments); // by name, so that an upgraded file is what starts
    ::_exit(127);
}

asio::awaitable<void> start_successor(server& here, std::string program) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
    asio::posix::stream_descriptor ready(here.io, ends[0]);
    const int listener = here.listener.native_handle();
    // Made before the fork: behind it only calls that are safe in a signal handler.
    std::vector<std::string> words{program};
    words.insert(words.end(), here.options.operands.begin(), here.options.operands.end());
    words.push_back("--notice=" + std::to_string(here.options.notice.count()));
    words.push_back("--listener=" + std::to_string(listener));
    words.push_back("--ready=" + std::to_string(ends[1]));
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    const pid_t successor = ::fork();
    if (successor == 0) become_successor(arguments.data(), listener, ends[1]);
    ::close(ends[1]);
    if (successor > 0 && co_await becomes_ready(ready)) {
        co_await leave_to_successor(here);
    } else {
        log() << "no successor: serving on\n";
        if (successor > 0 && ::kill(successor, SIGKILL) == 0) ::waitpid(successor, nullptr, 0);
        here.restarting = false;
    }
}

// socket: the listener goes as a message to whoever connects to PATH, if it is a process of the same user.

bool is_same_user(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

struct descriptor_message {
    descriptor_message() {
        message.msg_iov = &text;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
    }

    char byte = 0;
    iovec text{&byte, 1}; // a descriptor travels with a byte at least
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
};

bool send_descriptor(int to, int fd) {
    descriptor_message out;
    cmsghdr* const header = CMSG_FIRSTHDR(&out.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return ::sendmsg(to, &out.message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

int receive_descriptor(int from) {
    descriptor_message in;
    int fd = -1;
    if (::recvmsg(from, &in.message, MSG_CMSG_CLOEXEC) != 1)
        throw std::runtime_error("the old process went away: try again");
    const cmsghdr* const header = CMSG_FIRSTHDR(&in.message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS)
        throw std::runtime_error("the old process sent no listener");
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

asio::awaitable<void> wait_for_successor(server& here) {
    while (true) {
        cs::error_code ec;
        auto successor = co_await here.successors.async_accept(asio::redirect_error(use_awaitable, ec));
        if (ec) co_return;
        if (!is_same_user(successor.native_handle()) ||
            !send_descriptor(successor.native_handle(), here.listener.native_handle()))
            continue;
        if (co_await becomes_ready(successor)) co_return co_await leave_to_successor(here);
        log() << "no successor: serving on\n";
    }
}

// The old process waits at PATH until this one does: renamed into its place, so that there is always one.
void wait_at(server& here, const std::string& path) {
    const std::string beside = path + ".new";
    ::unlink(beside.c_str());
    here.successors.open();
    here.successors.bind(unix_protocol::endpoint(beside));
    here.successors.listen();
    if (::rename(beside.c_str(), path.c_str()) != 0) fail("rename");
}

acceptor bind(server& here) {
    const auto& operands = here.options.operands;
    const std::uint16_t port = number(operands.at(2));
    return acceptor(here.io, {asio::ip::make_address(operands.at(1)), port});
}

// How this process comes by its listener, and to whom it says that it is ready.
void start(server& here) {
    settings& options = here.options;
    const std::string mode = options.operands.at(0);
    unix_protocol::socket old(here.io);
    if (options.listener >= 0) {
        here.listener = acceptor::adopt(here.io, options.listener); // close-on-exec again
    } else if (mode == "systemd") {
        if (service_manager::passed_descriptors() != 1)
            throw std::runtime_error("systemd passed on no listener, or several");
        here.listener = acceptor::adopt(here.io, service_manager::first_passed);
    } else if (mode == "socket") {
        cs::error_code nobody;
        old.connect(unix_protocol::endpoint(options.operands.at(3)), nobody);
        here.listener = nobody ? bind(here) : acceptor::adopt(here.io, receive_descriptor(old.native_handle()));
        wait_at(here, options.operands.at(3));
        asio::co_spawn(here.io, wait_for_successor(here), asio::detached);
    } else {
        here.listener = bind(here);
    }
    // One that is released for a successor is left alone by the stop; else the stop serves the backlog, and closes it.
    here.stop.add(here.listener);
    asio::co_spawn(here.io, accept_loop(here), asio::detached);
    log() << "serving on " << here.listener.local_endpoint() << '\n';
    cs::error_code ignored;
    if (old.is_open()) asio::write(old, asio::buffer("1", 1), ignored);
    if (options.ready >= 0) {
        if (::write(options.ready, "1", 1) != 1) fail("write");
        ::close(options.ready);
    }
    // A successor tells which process is the service from now on; the unit needs NotifyAccess=all for that.
    service_manager::notify("READY=1\nMAINPID=" + std::to_string(::getpid()));
}

asio::awaitable<void> follow_signals(server& here, std::string program) {
    while (true) {
        cs::error_code ec;
        const int signal = co_await here.signals.async_wait(asio::redirect_error(use_awaitable, ec));
        if (ec) co_return;
        if (signal == SIGHUP && here.options.operands.at(0) == "socket") continue; // restarted by starting another
        if (signal == SIGHUP && !here.restarting && !here.stop.stopping()) {
            here.restarting = true;
            asio::co_spawn(here.io, start_successor(here, program), asio::detached);
        } else if (signal != SIGHUP && here.stop.stopping()) {
            here.stop.now();
        } else if (signal != SIGHUP) {
            service_manager::notify("STOPPING=1");
            asio::co_spawn(here.io, end(here), asio::detached);
        }
    }
}

settings parse(int argc, char** argv) {
    settings s;
    for (const std::string& argument : std::vector<std::string>(argv + 1, argv + argc)) {
        const auto number = [&] { return ::number(argument.substr(argument.find('=') + 1), 0, 3'600'000); };
        if (argument.starts_with("--notice="))
            s.notice = std::chrono::milliseconds(number());
        else if (argument.starts_with("--listener="))
            s.listener = number();
        else if (argument.starts_with("--ready="))
            s.ready = number();
        else
            s.operands.push_back(argument);
    }
    const std::string mode = s.operands.empty() ? "" : s.operands.front();
    const std::size_t wanted = mode == "exec" ? 3 : mode == "socket" ? 4 : mode == "systemd" ? 1 : 0;
    if (wanted == 0 || s.operands.size() != wanted)
        throw std::invalid_argument(
            "usage: hot_restart exec ADDRESS PORT | socket ADDRESS PORT PATH | systemd [--notice=MS]");
    return s;
}

int main(int argc, char** argv) {
    try {
        server here(parse(argc, argv));
        start(here);
        asio::co_spawn(here.io, follow_signals(here, argv[0]), asio::detached);
        here.io.run(); // until the stop is over
    } catch (const std::exception& e) {
        std::cerr << "hot_restart: " << e.what() << '\n';
        return 1;
    }
}
