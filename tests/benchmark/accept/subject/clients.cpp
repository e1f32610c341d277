// SPDX-License-Identifier: BSL-1.0
#include "clients.hpp"

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace benchmark_accept {

namespace {

int checked(int result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
}

void wait_for(int fd, short event, const char* what) {
    ::pollfd wanted{fd, event, 0};
    if (checked(::poll(&wanted, 1, 10'000), "poll") == 0)
        throw std::runtime_error(std::string(what) + " has not come in 10 s");
}

} // namespace

clients::~clients() {
    for (const int fd : fds_) ::close(fd);
}

void clients::connect(unsigned connections) {
    ::sockaddr_in address{};
    socklen_t size = sizeof address;
    checked(::getsockname(listener_, reinterpret_cast<::sockaddr*>(&address), &size), "getsockname");
    for (unsigned i = 0; i != connections; ++i) {
        fds_.push_back(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
        checked(::connect(fds_.back(), reinterpret_cast<const ::sockaddr*>(&address), size), "connect");
    }
    wait_for(listener_, POLLIN, "a connection to accept");
}

void clients::close(const std::vector<int>& accepted) {
    for (const int fd : fds_) ::close(fd);
    fds_.clear();
    for (const int fd : accepted) wait_for(fd, POLLRDHUP, "the client's FIN");
}

} // namespace benchmark_accept
