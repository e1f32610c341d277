// SPDX-License-Identifier: BSL-1.0
#include "old_server.hpp"

#include "../support/observed.hpp"

#include <cerrno>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace lab::restart {

namespace {

using namespace std::chrono_literals;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// For ever: it is killed.
int accept_and_obey(int listener) {
    std::vector<descriptor> kept;
    for (;;) {
        descriptor connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
        if (!connection) continue;
        const timeval bound{.tv_sec = 5, .tv_usec = 0};
        ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
        order told = order::close;
        if (::recv(connection.get(), &told, sizeof told, 0) == 1 && told == order::keep)
            kept.push_back(std::move(connection));
    }
}

} // namespace

std::string to_string(sharing s) {
    if (s.reuse_address && s.reuse_port) return "SO_REUSEADDR and SO_REUSEPORT";
    return s.reuse_address ? "SO_REUSEADDR" : s.reuse_port ? "SO_REUSEPORT" : "neither";
}

bound_socket bind_port(sharing options) {
    bound_socket result{descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
    if (!result.socket) fail("socket");
    const int on = 1;
    if (options.reuse_address) ::setsockopt(result.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (options.reuse_port) ::setsockopt(result.socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_port);
    if (::bind(result.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        result.error = errno;
    return result;
}

bound_socket listen_on_port(sharing options) {
    bound_socket result = bind_port(options);
    if (result.error == 0 && ::listen(result.socket.get(), SOMAXCONN) != 0) result.error = errno;
    return result;
}

process serve(const descriptor& listener) {
    return process([&] { return accept_and_obey(listener.get()); });
}

process finish(const descriptor& listener, const std::vector<descriptor>& connections) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
    const descriptor told(ends[0]);
    descriptor tells(ends[1]);
    process worker([&] {
        ::close(listener.get());
        tells.close();
        for (;;) ::pause();
        return static_cast<int>(connections.size());
    });
    tells.close();
    char nothing = 0;
    if (::read(told.get(), &nothing, 1) != 0) fail("pipe of a worker"); // until it has closed the listener
    return worker;
}

process leak_to_program(const descriptor& listener) {
    process program([&] {
        ::fcntl(listener.get(), F_SETFD, 0);
        ::execlp("sleep", "sleep", "600", static_cast<char*>(nullptr));
        return 127;
    });
    const auto runs = [&] {
        std::string name;
        std::ifstream("/proc/" + std::to_string(program.id()) + "/comm") >> name;
        return name == "sleep";
    };
    if (!eventually(runs, 5s)) throw std::runtime_error("sleep did not start");
    return program;
}

descriptor accept_one(const descriptor& listener) {
    descriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) fail("accept4");
    return connection;
}

} // namespace lab::restart
