// SPDX-License-Identifier: BSL-1.0
#include "examples/running_https_server.hpp"
#include "examples/server_under_test.hpp"
#include "observation/program.hpp"
#include "observation/wait.hpp"
#include "support/connection.hpp"
#include "support/temporary_directory.hpp"
#include "support/tls.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <vector>

using tests::running_https_server;

namespace {

/// OpenSSL's client on a connection to the server.
struct client {
    explicit client(const running_https_server& server) : peer(server.at), tls(peer.fd()) {}

    /// Until `condition()` holds; false after five seconds.
    template <class Condition>
    bool wait(Condition condition) {
        return observation::eventually(condition, std::chrono::seconds(5), std::chrono::milliseconds(1));
    }
    bool handshake() {
        return wait([&] { return tls.handshake(); });
    }
    bool reads_to_the_end() {
        return wait([&] {
            tls.read();
            return tls.over();
        });
    }
    bool reads(std::size_t bytes) {
        return wait([&] { return tls.read().bytes >= bytes; });
    }

    test_peer peer;
    tests::tls_client tls;
};

std::string get(const std::string& path, const std::string& fields = {}, const std::string& version = "1.1") {
    return "GET " + path + " HTTP/" + version + "\r\nHost: localhost\r\n" + fields + "\r\n";
}

constexpr std::size_t large = 1u << 20;

} // namespace

TEST_CASE("https_server lets a client close first that it has told, and the reply is whole") {
    running_https_server server;
    client told(server);
    REQUIRE(told.handshake());
    REQUIRE(told.tls.write(get("/large", "Connection: close\r\n")));
    REQUIRE(told.reads_to_the_end());
    CHECK(told.tls.read().bytes > large);
    CHECK(told.tls.read().close_notify);
    told.tls.send_close_notify();
    told.peer.close();
    const std::string line = server.program.line_with("closed:");
    CHECK(line.starts_with("closed: Success: first_fin=peer ended_by=fin time_wait=peer"));
    CHECK(line.find("close_notify_sent=yes") != std::string::npos);
    CHECK(server.program.stop() == 0);
}

TEST_CASE("https_server keeps a connection for the next request, and ends it where the client is idle for too long") {
    running_https_server server({"--wait", "1"});
    client kept(server);
    REQUIRE(kept.handshake());
    for (std::size_t i = 1; i <= 3; ++i) {
        REQUIRE(kept.tls.write(get("/large")));
        CHECK(kept.reads(i * large));
    }
    REQUIRE(kept.tls.write(get("/?two") + get("/"))); // pipelined
    REQUIRE(kept.reads_to_the_end());
    CHECK(kept.tls.read().close_notify);
    kept.peer.close();
    const std::string line = server.program.line_with("closed:");
    CHECK(line.starts_with("closed: Success: first_fin=local ended_by=fin"));
    CHECK(line.find("close_notify_sent=yes") != std::string::npos);
    CHECK(line.ends_with("replies=5"));
}

TEST_CASE("https_server ends a connection without close_notify if there is no handshake in time, or none at all") {
    running_https_server server({"--wait", "1"});
    test_peer silent(server.at);
    CHECK(silent.read().error == 0); // the end of the stream, and no byte
    silent.close();
    CHECK(server.program.line_with("closed:").find("close_notify_sent=no") != std::string::npos);

    test_peer plain(server.at);
    tests::send_text(plain, get("/"));
    CHECK(plain.read().error == 0);
    plain.close();
    CHECK(server.program.line_with("closed:").find("close_notify_sent=no") != std::string::npos);
}

TEST_CASE("https_server, when it is stopped, finishes its reply, and ends idle connections with close_notify") {
    running_https_server server;
    client idle(server), late(server);
    REQUIRE(idle.handshake());
    REQUIRE(late.handshake());
    REQUIRE(late.tls.write(get("/large")));
    REQUIRE(late.reads(1)); // the reply has begun
    REQUIRE(::kill(server.program.pid(), SIGTERM) == 0);
    REQUIRE(idle.reads_to_the_end());
    CHECK(idle.tls.read().close_notify);
    idle.peer.close();
    REQUIRE(late.reads_to_the_end());
    CHECK(late.tls.read().bytes > large);
    CHECK(late.tls.read().close_notify);
    late.peer.close();
    CHECK(server.program.stop(0) == 0); // it ends by itself
}

TEST_CASE("https_server refuses what it does not take, and closes when the client has sent the rest") {
    running_https_server server;
    client posting(server);
    REQUIRE(posting.handshake());
    REQUIRE(posting.tls.write("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"));
    REQUIRE(posting.tls.write(std::string(100000, 'p')));
    REQUIRE(posting.reads_to_the_end());
    CHECK(posting.tls.read().close_notify);
    posting.peer.close();
    CHECK(server.program.line_with("closed:").starts_with("closed: Success: first_fin=local"));
}

TEST_CASE("https_server closes first on HTTP/1.0, whose clients may wait for the end") {
    running_https_server server;
    client old(server);
    REQUIRE(old.handshake());
    REQUIRE(old.tls.write(get("/large", "", "1.0")));
    REQUIRE(old.reads_to_the_end());
    CHECK(old.tls.read().bytes > large);
    old.peer.close();
    CHECK(server.program.line_with("closed:").starts_with("closed: Success: first_fin=local ended_by=fin"));
}

TEST_CASE("https_server chooses HTTP/1.1 by ALPN, and knows its name by SNI") {
    running_https_server server({"--name", "localhost"});
    const unsigned char both[] = "\x02h2\x08http/1.1";
    client right(server);
    ::SSL_set_alpn_protos(right.tls.native_handle(), both, sizeof both - 1);
    SSL_set_tlsext_host_name(right.tls.native_handle(), "localhost");
    REQUIRE(right.handshake());
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(right.tls.native_handle(), &chosen, &size);
    CHECK(std::string(reinterpret_cast<const char*>(chosen), size) == "http/1.1");

    client elsewhere(server), http_2(server);
    SSL_set_tlsext_host_name(elsewhere.tls.native_handle(), "example.org");
    ::SSL_set_alpn_protos(http_2.tls.native_handle(), both, 3);
    for (client* const wrong : {&elsewhere, &http_2}) {
        ::ERR_clear_error();
        REQUIRE(wrong->wait([&] { return wrong->tls.handshake() || ::ERR_peek_error() != 0; }));
        const int reason = ERR_GET_REASON(::ERR_peek_last_error());
        CHECK(reason ==
              (wrong == &elsewhere ? SSL_R_TLSV1_UNRECOGNIZED_NAME : SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL));
        ::ERR_clear_error();
    }
}

TEST_CASE("https_server reads what a client wrote that never reads and closes") {
    running_https_server server;
    for (int i = 0; i != 20; ++i) {
        client writes(server);
        REQUIRE(writes.handshake());
        REQUIRE(writes.tls.write(get("/")));
        writes.tls.send_close_notify();
        writes.peer.close();
        CHECK(server.program.line_with("closed:").find("replies=1") != std::string::npos);
    }
}

TEST_CASE("https_server starts on what the command in its comment makes") {
    if (tests::is_missing(CLOSESIDE_OPENSSL, "openssl")) return;
    const tests::temporary_directory files;
    const std::string cert = files.path("cert.pem"), key = files.path("key.pem");
    observation::run_tool({CLOSESIDE_OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                           "-nodes", "-days", "30", "-subj", "/CN=localhost", "-keyout", key, "-out", cert});
    tests::running_program server({CLOSESIDE_HTTPS_SERVER, "--port", "0", "--certificate", cert, "--key", key});
    CHECK(server.line_with("serving on") != "");
    CHECK(server.stop() == 0);
    tests::running_program without({CLOSESIDE_HTTPS_SERVER, "--port", "0", "--certificate", files.path("none")});
    CHECK(without.line_with("https_server: ") != "");
    CHECK(without.stop(0) == 1);
}
