// SPDX-License-Identifier: BSL-1.0
// A server with a log of its own, spdlog's. What the host check finds lands there, each line at its level; with
// --strict the server does not start if its clients would be locked out. SIGINT and SIGTERM end it in an orderly way:
// idle connections are closed, replies that are under way are finished first, and --stop-within bounds it all.
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <sysexits.h>

namespace cs = closeside;
using namespace std::chrono_literals;
using asio::ip::tcp;
using cs::host::exposure;
using cs::host::severity;

namespace {

inline constexpr cs::close_policy front_end{.drain_time = 10s, .drain_idle = 3s}; // we go first, and hold the TIME-WAIT

struct arguments {
    std::string address = "::1";
    std::uint16_t port = 7008;
    cs::host::startup_options host{.exposure = exposure::nat, .program = {.accepts_per_second = 200}};
    bool strict = false;
    unsigned stop_within = 20; ///< seconds
};

constexpr spdlog::level::level_enum level_of(severity s) {
    switch (s) {
    case severity::critical: return spdlog::level::critical;
    case severity::warning: return spdlog::level::warn;
    case severity::note: break;
    }
    return spdlog::level::info;
}

class server {
public:
    server(asio::io_context& io, const tcp::endpoint& at, std::chrono::seconds stop_within)
        : io_(io), listener_(io, at, asio::socket_base::max_listen_connections), signals_(io, SIGINT, SIGTERM),
          stop_(io), stop_within_(stop_within) {
        stop_.add(listener_);
        spdlog::info("echoing on {}:{}", listener_.local_endpoint().address().to_string(),
                     listener_.local_endpoint().port());
        signals_.async_wait([this](cs::error_code ec, int) {
            if (!ec) stop();
        });
        asio::co_spawn(io, accept_loop(), asio::detached);
    }

private:
    asio::awaitable<void> accept_loop() {
        while (true) {
            cs::error_code ec;
            auto client = co_await listener_.async_accept(asio::redirect_error(asio::use_awaitable, ec));
            if (ec == asio::error::operation_aborted) co_return;
            if (ec)
                spdlog::warn("accept: {}", ec.message());
            else
                asio::co_spawn(io_, session(std::move(client)), asio::detached);
        }
    }

    asio::awaitable<void> session(cs::stream<front_end> client) {
        cs::orderly_stop::member here(stop_, client); // a stop ends idle reads, and no reply
        std::array<char, 16 * 1024> data;
        std::size_t read = 0, echoed = 0;
        cs::error_code ec;
        auto no_throw = asio::redirect_error(asio::use_awaitable, ec);
        while (!ec) {
            const std::size_t n = co_await client.async_read_some(asio::buffer(data), here.idle(no_throw));
            if (ec) break;
            read += n;
            echoed += co_await asio::async_write(client, asio::buffer(data, n), no_throw);
        }
        if (!client.is_open()) { // a peer must not take a part of a reply for the whole: the stop has sent RST
            spdlog::warn("cut: the peer takes its reply too slowly: echoed {} of {} bytes", echoed, read);
            co_return;
        }
        const cs::error_code ended = ec;
        const cs::close_report report = co_await client.async_close(no_throw);
        spdlog::info("closed: {}: echoed {} of {} bytes: {} (before: {})", ec.message(), echoed, read,
                     to_string(report), here.stopping() ? "stopped" : ended.message());
    }

    void stop() {
        spdlog::info("stopping, within {} s", stop_within_.count());
        signals_.async_wait([this](cs::error_code ec, int) {
            if (!ec) stop_.now(); // a second signal
        });
        stop_.async_stop({.within = stop_within_}, [this](cs::error_code, const cs::stop_report& report) {
            signals_.cancel();
            spdlog::info("stopped: {}", to_string(report));
        });
    }

    asio::io_context& io_;
    cs::acceptor<front_end> listener_;
    asio::signal_set signals_;
    cs::orderly_stop stop_;
    std::chrono::seconds stop_within_;
};

int serve(arguments given) {
    const auto log = [](severity s, std::string_view line) { spdlog::log(level_of(s), line); };
    given.host.program.backlog = int{asio::socket_base::max_listen_connections};
    given.host.program.listening_ports = {given.port};
    if (given.strict) {
        if (const std::error_code ec = cs::check_at_startup<front_end>(log, given.host)) {
            spdlog::critical("not starting: {}", ec.message());
            // systemd: RestartPreventExitStatus=CONFIG. Starting again changes nothing.
            return EX_CONFIG;
        }
    } else {
        cs::warn_at_startup<front_end>(log, given.host);
    }

    asio::io_context io;
    const server running(io, {asio::ip::make_address(given.address), given.port},
                         std::chrono::seconds(given.stop_within));
    io.run(); // until the last connection has ended
    return 0;
}

void add_options(CLI::App& app, arguments& given) {
    app.add_option("--address", given.address, "IP address to listen on")
        ->check([](const std::string& text) {
            cs::error_code ec;
            asio::ip::make_address(text, ec);
            return ec ? "'" + text + "' is not an IP address; give one such as 127.0.0.1 or ::1" : std::string();
        })
        ->capture_default_str();
    app.add_option("--port", given.port, "TCP port; 0 lets the kernel choose")
        ->check(CLI::Range(0, 65535))
        ->capture_default_str();
    app.add_option("--rate", given.host.program.accepts_per_second, "Connections a second that are expected at peak")
        ->check(CLI::PositiveNumber)
        ->default_str("200");
    static const std::map<std::string, exposure> exposures{{"nat", exposure::nat},
                                                           {"balancer", exposure::balancer},
                                                           {"direct", exposure::direct},
                                                           {"loopback", exposure::loopback}};
    app.add_option_function<std::string>(
           "--exposure", [&given](const std::string& name) { given.host.exposure = exposures.at(name); },
           "How clients reach the server")
        ->check(CLI::IsMember(exposures))
        ->default_str("nat");
    app.add_flag("--strict", given.strict, "Do not start if a setting of the host would lock clients out");
    app.add_option("--stop-within", given.stop_within, "Seconds for replies under way when the server is stopped")
        ->check(CLI::Range(1u, 3600u))
        ->capture_default_str();
    app.add_option("--root", given.host.root, "Directory whose proc/ is looked at")->capture_default_str();
}

} // namespace

int main(int argc, char** argv) {
    spdlog::set_default_logger(spdlog::stderr_color_mt("logged_server"));
    CLI::App app{
        "Echoes what it receives, checks its host when it starts, and closes in an orderly way when it stops."};
    arguments given;
    add_options(app, given);
    CLI11_PARSE(app, argc, argv);
    try {
        return serve(std::move(given));
    } catch (const std::exception& e) {
        spdlog::critical("{}", e.what());
        return 1;
    }
}
