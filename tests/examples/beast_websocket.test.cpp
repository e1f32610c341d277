// SPDX-License-Identifier: BSL-1.0
#include "observation/memory_file.hpp"
#include "support/certificate.hpp"
#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"
#include "support/tls.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

using clock_type = std::chrono::steady_clock;

/// A certificate and its key, where another process can open them as files.
class pem_files {
public:
    pem_files() {
        const tests::certificate own;
        const std::unique_ptr<::BIO, decltype(&::BIO_free_all)> certificate(::BIO_new(::BIO_s_mem()), ::BIO_free_all);
        const std::unique_ptr<::BIO, decltype(&::BIO_free_all)> key(::BIO_new(::BIO_s_mem()), ::BIO_free_all);
        ::PEM_write_bio_X509(certificate.get(), own.x509.get());
        ::PEM_write_bio_PrivateKey(key.get(), own.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        certificate_ = observation::memory_file(text_of(certificate.get()));
        key_ = observation::memory_file(text_of(key.get()));
    }

    std::string certificate() const { return path_of(certificate_); }
    std::string key() const { return path_of(key_); }

private:
    static std::string text_of(::BIO* bio) {
        char* data = nullptr;
        const long size = ::BIO_get_mem_data(bio, &data);
        return {data, static_cast<std::size_t>(size)};
    }
    static std::string path_of(const observation::descriptor& file) {
        return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file.get());
    }

    observation::descriptor certificate_;
    observation::descriptor key_;
};

enum class layer { tcp, tls };

struct running_server {
    explicit running_server(layer below) : program(arguments(below)) {
        const std::string first = program.line_with(below == layer::tls ? "serving wss on" : "serving ws on");
        REQUIRE_FALSE(first.empty());
        port = static_cast<unsigned short>(std::stoi(first.substr(first.rfind(':') + 1)));
    }

    tcp::endpoint endpoint() const { return {asio::ip::address_v6::loopback(), port}; }

    pem_files pem;
    tests::running_program program;
    unsigned short port = 0;

private:
    std::vector<std::string> arguments(layer below) const {
        if (below == layer::tcp) return {CLOSESIDE_BEAST_WEBSOCKET, "0"};
        return {CLOSESIDE_BEAST_WEBSOCKET, "0", pem.certificate(), pem.key()};
    }
};

constexpr auto request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// RFC 6455, 5.2; a client's mask may be zero.
constexpr auto hello = "\x81\x85\0\0\0\0hello"sv;
constexpr auto hello_back = "\x81\x05hello"sv;
constexpr auto close_normal = "\x88\x82\0\0\0\0\x03\xe8"sv;
constexpr auto close_normal_back = "\x88\x02\x03\xe8"sv;
constexpr auto close_going_away = "\x88\x82\0\0\0\0\x03\xe9"sv;
constexpr auto close_going_away_back = "\x88\x02\x03\xe9"sv;

/// A WebSocket's client, frame by frame.
class client {
public:
    client(const running_server& server, layer below) : server_(server.endpoint()), peer_(server_) {
        if (below == layer::tcp) return;
        tls_.emplace(peer_.fd());
        REQUIRE(kernel_view::eventually([&] { return tls_->handshake(); }));
    }

    void send(std::string_view bytes) {
        if (tls_)
            REQUIRE(tls_->write(std::string(bytes)));
        else
            REQUIRE(::send(peer_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
    }

    /// As many bytes; fewer at the end of the stream, or after five seconds.
    std::string read(std::size_t size) {
        std::string got;
        for (const auto end = clock_type::now() + 5s; got.size() != size && clock_type::now() < end;) {
            char buffer[1024];
            const int n = read_some(buffer, std::min(sizeof buffer, size - got.size()));
            if (n == 0) break;
            if (n > 0)
                got.append(buffer, static_cast<std::size_t>(n));
            else
                wait();
        }
        return got;
    }

    void open() {
        send(request);
        std::string reply;
        while (!reply.ends_with("\r\n\r\n")) {
            const std::string byte = read(1);
            REQUIRE(byte.size() == 1);
            reply += byte;
        }
        REQUIRE(reply.starts_with("HTTP/1.1 101 "));
        REQUIRE(reply.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos); // RFC 6455, 1.3
    }

    /// Messages, and no reading, until the server takes no more.
    void send_until_full() {
        const std::string frame = std::string("\x82\xfe\xff\xff\0\0\0\0"sv) + std::string(0xffff, 'm');
        std::size_t sent = 0; // of a frame
        for (::pollfd room{peer_.fd(), POLLOUT, 0}; ::poll(&room, 1, 500) == 1;) {
            const ssize_t n = ::send(peer_.fd(), frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            REQUIRE(n > 0);
            sent = (sent + static_cast<std::size_t>(n)) % frame.size();
        }
    }

    /// Nothing follows but the server's FIN, on TLS behind its close_notify.
    bool sees_clean_end() {
        if (tls_ && (!read(1).empty() || (::SSL_get_shutdown(tls_->native_handle()) & SSL_RECEIVED_SHUTDOWN) == 0))
            return false;
        for (const auto end = clock_type::now() + 5s; clock_type::now() < end; wait()) {
            char byte;
            const ssize_t n = ::recv(peer_.fd(), &byte, 1, MSG_DONTWAIT);
            if (n >= 0) return n == 0;
            if (errno != EAGAIN) return false;
        }
        return false;
    }

    /// The server's end in the kernel.
    observation::socket_entry at_server() const { return kernel_view::find(server_, peer_.local()); }
    bool server_becomes(kernel_view::tcp_state state) const {
        return kernel_view::eventually([&] { return at_server().state == state; });
    }

    test_peer& peer() { return peer_; }

private:
    /// Above zero: bytes; 0: the end; below: nothing for now.
    int read_some(char* data, std::size_t size) {
        if (!tls_) return static_cast<int>(::recv(peer_.fd(), data, size, MSG_DONTWAIT));
        SSL* const ssl = tls_->native_handle();
        ::ERR_clear_error();
        const int n = ::SSL_read(ssl, data, static_cast<int>(size));
        return n > 0 ? n : ::SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ ? -1 : 0;
    }
    void wait() const {
        ::pollfd poll{peer_.fd(), POLLIN, 0};
        ::poll(&poll, 1, 100);
    }

    tcp::endpoint server_;
    test_peer peer_;
    std::optional<tests::tls_client> tls_;
};

/// Runs a case on plain TCP, then over TLS.
template <class Case>
void on_both(Case run) {
    SUBCASE("plain") { run(layer::tcp); }
    SUBCASE("over TLS") { run(layer::tls); }
}

constexpr auto gracefully = "closed: The WebSocket stream was gracefully closed at both endpoints";

} // namespace

TEST_CASE("beast_websocket echoes, answers a close frame, and closes first") {
    on_both([](layer below) {
        running_server server(below);
        client c(server, below);
        c.open();
        for (int i = 0; i < 3; ++i) {
            c.send(hello);
            CHECK(c.read(hello_back.size()) == hello_back);
        }
        c.send(close_normal);
        CHECK(c.read(close_normal_back.size()) == close_normal_back);
        CHECK(c.sees_clean_end());
        CHECK(c.server_becomes(kernel_view::fin_wait2));
        c.peer().close();
        CHECK(server.program.line_with("closed") == gracefully);
        CHECK(server.program.stop() == 0);
    });
}

TEST_CASE("beast_websocket waits drain_idle for a client that falls silent after its close frame") {
    on_both([](layer below) {
        running_server server(below);
        client silent(server, below);
        silent.open();
        silent.send(close_normal);
        CHECK(silent.read(close_normal_back.size()) == close_normal_back);
        CHECK(silent.sees_clean_end());
        const auto begin = clock_type::now();
        CHECK(silent.at_server().inode != 0);
        // Nobody holds a descriptor then.
        CHECK(kernel_view::eventually([&] { return silent.at_server().inode == 0; }));
        const auto took = clock_type::now() - begin;
        CHECK(took >= 1500ms);
        CHECK(took < 3s);
        CHECK(server.program.line_with("closed").starts_with("closed: the peer did not close within drain_time"));
        CHECK(server.program.stop() == 0);
    });
}

TEST_CASE("beast_websocket closes what a client ends without a close frame") {
    running_server server(layer::tls);
    client c(server, layer::tls);
    c.open();
    c.peer().half_close();
    CHECK(c.sees_clean_end());
    c.peer().close();
    const std::string line = server.program.line_with("closed");
    CHECK(line.starts_with("closed without close frames (stream truncated): Success: first_fin=peer"));
    CHECK(line.ends_with("close_notify_sent=yes close_notify_received=no truncated=yes"));
}

TEST_CASE("beast_websocket refuses what is no WebSocket, and the refusal arrives") {
    running_server server(layer::tcp);
    client c(server, layer::tcp);
    c.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\nunread");
    CHECK(c.read(13) == "HTTP/1.1 400 ");
    const test_peer::result rest = c.peer().read();
    CHECK(rest.error == 0);
    CHECK(rest.bytes > 0);
    c.peer().close();
    CHECK(server.program.line_with("closed").starts_with("closed without close frames ("));
}

TEST_CASE("beast_websocket, when it is stopped, says so in a close frame, and ends with its connections") {
    on_both([](layer below) {
        running_server server(below);
        client c(server, below);
        c.open();
        test_peer shy(server.endpoint()); // no request, and no handshake of TLS
        c.send(hello);
        CHECK(c.read(hello_back.size()) == hello_back);
        REQUIRE(::kill(server.program.pid(), SIGTERM) == 0);
        CHECK(c.read(close_going_away_back.size()) == close_going_away_back);
        CHECK(shy.read().error == 0);
        shy.close();
        CHECK(server.program.line_with("closed").starts_with("closed without close frames (Operation canceled)"));
        c.send(close_going_away);
        CHECK(c.sees_clean_end());
        c.peer().close();
        CHECK(server.program.line_with("closed") == "closed: Success");
        CHECK(server.program.stop(0) == 0); // it ends by itself
    });
}

TEST_CASE("beast_websocket, when it is stopped, waits five seconds for a client that takes no echo, and resets it") {
    running_server server(layer::tcp);
    client c(server, layer::tcp);
    c.open();
    c.send_until_full();
    REQUIRE(::kill(server.program.pid(), SIGTERM) == 0);
    CHECK(server.program.stop(0) == 0);
    CHECK(c.peer().read().error == ECONNRESET);
}

TEST_CASE("beast_websocket says what is wrong with its arguments, and does not start") {
    using tests::run_program;
    const tests::program_result half = run_program({CLOSESIDE_BEAST_WEBSOCKET, "0", "cert.pem"});
    CHECK(half.status == 1);
    CHECK(half.err.starts_with("beast_websocket: usage: "));
    const pem_files pem;
    const tests::program_result none = run_program({CLOSESIDE_BEAST_WEBSOCKET, "0", "/nonexistent.pem", pem.key()});
    CHECK(none.status == 1);
    CHECK(none.err.find("use_certificate_chain_file: No such file") != std::string::npos);
}
