// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

#include <closeside/close.hpp>

#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>

#include <utility>

namespace lab::orphan {

using asio::ip::tcp;

server::server(const host& where, const closeside::close_policy& policy)
    : policy_(policy), listener_(where.run([&] { return tcp::acceptor(io_, tcp::endpoint(tcp::v4(), server_port)); })),
      reply_(reply_size, 'r') {
    accept();
    thread_ = std::thread([this] { io_.run(); });
}

server::~server() {
    io_.stop();
    thread_.join();
}

void server::accept() {
    listener_.async_accept([this](closeside::error_code ec, tcp::socket connection) {
        if (!ec) {
            connections_.push_back(std::move(connection));
            ++accepted_;
        }
        accept();
    });
}

void server::end_all() {
    asio::post(io_, [this] {
        for (tcp::socket& connection : connections_) end(connection);
    });
}

void server::end(tcp::socket& connection) {
    asio::async_write(connection, asio::buffer(reply_), [this, &connection](closeside::error_code, std::size_t) {
        closeside::async_close(std::move(connection), policy_,
                               [this](closeside::error_code ec, const closeside::close_report& report) {
                                   endings_.push_back({ec, report, steady::now()});
                                   ++closed_;
                               });
    });
}

} // namespace lab::orphan
