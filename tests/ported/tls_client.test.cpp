// SPDX-License-Identifier: BSL-1.0
#include "ported/tls_client.hpp"

#include "observation/watchdog.hpp"
#include "ported/peer.hpp"
#include "ported/tls_server.hpp"
#include "support/kernel_view.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace cs = closeside;
namespace kv = kernel_view;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr std::size_t upload = 1'000'000;
const std::string answer = "200 OK\n";

struct outcome {
    cs::error_code ec;
    std::string line;
};

/// Clients of one context that a thread runs.
template <class Types>
class clients {
public:
    explicit clients(const ported::tls_identity& identity) : context_(asio::ssl::context::tls_client) {
        context_.set_verify_mode(asio::ssl::verify_peer);
        ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context_.native_handle()), identity.certificate());
        thread_ = std::jthread([this] {
            try {
                io_context_.run();
            } catch (...) {
                threw_ = true;
            }
            returned_ = true;
        });
    }
    clients(const clients&) = delete;
    clients& operator=(const clients&) = delete;
    ~clients() { work_.reset(); }

    std::future<outcome> start(const tcp::endpoint& server, std::chrono::milliseconds limit = 20s) {
        auto promise = std::make_shared<std::promise<outcome>>();
        auto future = promise->get_future();
        asio::post(io_context_, [this, promise, server, limit] {
            const auto client = std::make_shared<ported::tls_client<Types>>(
                io_context_, context_, std::string(upload, 'u'), [promise](cs::error_code ec, const std::string& line) {
                    promise->set_value({ec, line});
                });
            client->start({server}, limit);
        });
        return future;
    }

    bool has_exited() const { return returned_; }

    /// run() returns within five seconds, for when the servers are gone.
    bool stops() {
        work_.reset();
        return kv::eventually([&] { return returned_.load(); }) && !threw_;
    }

private:
    observation::watchdog watchdog_{"closeside-ported-tests", 50s};
    asio::io_context io_context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{asio::make_work_guard(io_context_)};
    asio::ssl::context context_;
    std::atomic<bool> threw_ = false, returned_ = false;
    std::jthread thread_; // last: joined first
};

struct tls_experience {
    int healthy = 0, healthy_served = 0;
    int floods = 0, floods_answered = 0;
    int uploads_whole = 0; ///< of those to servers that flood
    bool resets_are_errors = true, stalls_are_ended = true;
    bool exited = false;
};

outcome result_of(std::future<outcome>& future) {
    if (future.wait_for(5s) != std::future_status::ready) return {asio::error::timed_out, {}};
    return future.get();
}

/// Servers that reset, stall and flood, and healthy ones all the while.
template <class Types>
tls_experience use(clients<Types>& clients, const ported::tls_identity& identity) {
    tls_experience seen;
    ported::tls_server server(identity);
    const auto use_a_healthy_one = [&] {
        const auto began = std::chrono::steady_clock::now();
        auto client = clients.start(server.at());
        ported::tls_connection c = server.accept();
        const bool served = c.handshake() && c.read(upload) == upload && c.write(answer);
        const outcome o = result_of(client);
        ++seen.healthy;
        seen.healthy_served +=
            served && !o.ec && o.line == answer && std::chrono::steady_clock::now() - began < ported::healthy_bound ? 1
                                                                                                                    : 0;
    };
    std::vector<ported::tls_connection> stalled;
    std::vector<std::future<outcome>> waiting;
    use_a_healthy_one();
    for (int round = 0; round < 3; ++round) {
        for (int when = 0; when < 3; ++when) {
            auto client = clients.start(server.at());
            ported::tls_connection c = server.accept();
            if (when > 0) c.handshake();
            if (when > 1) c.read(1000);
            c.reset();
            seen.resets_are_errors = seen.resets_are_errors && result_of(client).ec;
        }
        use_a_healthy_one();

        waiting.push_back(clients.start(server.at(), 300ms));
        stalled.push_back(server.accept()); // no handshake
        waiting.push_back(clients.start(server.at(), 300ms));
        stalled.push_back(server.accept());
        stalled.back().handshake(); // and no more
        use_a_healthy_one();

        auto client = clients.start(server.at());
        ported::tls_connection c = server.accept();
        ++seen.floods;
        const bool answered = c.handshake() && c.write(answer);
        c.flood();
        const outcome o = result_of(client);
        seen.floods_answered += answered && !o.ec && o.line == answer ? 1 : 0;
        kv::eventually([&] { return kv::state(c.client(), server.at()) != kv::established; });
        use_a_healthy_one();
        seen.uploads_whole += c.read() == upload ? 1 : 0;
    }
    for (auto& future : waiting)
        seen.stalls_are_ended = seen.stalls_are_ended && result_of(future).ec == asio::error::operation_aborted;
    use_a_healthy_one();
    seen.exited = clients.has_exited();
    return seen;
}

} // namespace

TEST_CASE("a TLS client, its types changed, connects through lowest_layer(), and its uploads arrive whole") {
    std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes with write(2)
    const ported::tls_identity identity;
    clients<ported::closeside_types<graceful>> under_test(identity);
    const tls_experience seen = use(under_test, identity);
    CHECK_FALSE(seen.exited);
    CHECK(seen.healthy_served == seen.healthy);
    CHECK(seen.resets_are_errors);
    CHECK(seen.stalls_are_ended);
    CHECK(seen.floods_answered == seen.floods);
    CHECK(seen.uploads_whole == seen.floods);
    CHECK(under_test.stops());
}

TEST_CASE("the TLS client itself cuts its uploads to servers that send more than it reads") {
    std::signal(SIGPIPE, SIG_IGN);
    const ported::tls_identity identity;
    clients<ported::asio_types> under_test(identity);
    const tls_experience seen = use(under_test, identity);
    CHECK_FALSE(seen.exited);
    CHECK(seen.healthy_served == seen.healthy);
    CHECK(seen.resets_are_errors);
    CHECK(seen.stalls_are_ended);
    CHECK(seen.floods_answered == seen.floods);
    CHECK(seen.uploads_whole == 0);
    CHECK(under_test.stops());
}
