// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <thread>
#include <utility>

namespace lab::port {

namespace {

namespace cs = closeside;
using asio::ip::tcp;

template <cs::close_policy P>
class server_under final : public server {
public:
    explicit server_under(const host& where)
        : listener_(where.run([&] { return cs::acceptor<P>(io_, tcp::endpoint(tcp::v4(), server_port)); })) {
        accept();
        thread_ = std::thread([this] { io_.run(); });
    }
    ~server_under() override {
        io_.stop();
        thread_.join();
    }

private:
    void accept() {
        listener_.async_accept([this](cs::error_code ec, cs::stream<P> stream) {
            if (!ec) stream.async_close([](cs::error_code, const cs::close_report&) {});
            accept();
        });
    }

    asio::io_context io_{1};
    cs::acceptor<P> listener_;
    std::thread thread_;
};

} // namespace

std::unique_ptr<server> serve(const host& where, cs::side closes_first) {
    if (closes_first == cs::side::local) return std::make_unique<server_under<cs::policies::graceful>>(where);
    return std::make_unique<server_under<cs::policies::peer_first>>(where);
}

} // namespace lab::port
