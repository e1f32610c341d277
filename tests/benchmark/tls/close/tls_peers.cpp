// SPDX-License-Identifier: BSL-1.0
#include "tls_peers.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

#include <openssl/bio.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace benchmark_tls {

namespace {

constexpr std::chrono::seconds limit{10};

void wait_for(int fd, short event, const char* what) {
    ::pollfd waits{fd, event, 0};
    if (::poll(&waits, 1, std::chrono::milliseconds(limit).count()) == 0)
        throw std::runtime_error(std::string("no ") + what + " in 10 s");
}

bool has_read_all(int fd) {
    int unread = 0;
    return ::ioctl(fd, FIONREAD, &unread) == 0 && unread == 0;
}

} // namespace

std::vector<int> tls_peers::connect(unsigned connections) {
    std::vector<int> accepted = peers::connect(connections);
    for (const connection& c : peers::connections()) clients_.push_back(std::make_unique<client>(c.peer));
    return accepted;
}

bool tls_peers::send_request() {
    bool all_done = true;
    for (std::size_t i = 0; i != clients_.size(); ++i) {
        client& c = *clients_[i];
        c.handshake_done = c.handshake_done || c.tls.handshake();
        // The client is done first: the server has its last message to read.
        all_done = all_done && c.handshake_done && has_read_all(peers::connections()[i].accepted);
    }
    return all_done && peers::send_request();
}

std::size_t tls_peers::send(std::size_t index, const std::vector<char>& data) {
    tests::tls_client& tls = clients_.at(index)->tls;
    const auto sent = [&] { return ::BIO_number_written(::SSL_get_wbio(tls.native_handle())); };
    const auto before = sent();
    if (!tls.write({data.begin(), data.end()})) throw std::runtime_error("no room for what a peer sends");
    return sent() - before;
}

void tls_peers::answer() {
    for (std::size_t i = 0; i != clients_.size(); ++i) {
        const connection& c = peers::connections()[i];
        tests::tls_client& tls = clients_[i]->tls;
        for (tls.read(); !tls.over(); tls.read()) wait_for(c.peer, POLLIN, "close_notify");
        if (!tls.read().close_notify) throw std::runtime_error("the peer sees truncation instead of close_notify");
        tls.send_close_notify();
        if (::shutdown(c.peer, SHUT_WR) == 0) wait_for_fin(c);
    }
}

unsigned tls_peers::end() {
    clients_.clear();
    for (const connection& c : peers::connections()) wait_for(c.peer, POLLRDHUP, "FIN");
    read_to_end();
    return peers::end();
}

} // namespace benchmark_tls
