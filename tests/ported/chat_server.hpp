// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_CHAT_SERVER_HPP
#define CLOSESIDE_TESTS_PORTED_CHAT_SERVER_HPP

#include "ported/types.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>

// A chat server as Asio's examples have it: a message is four digits, its length, and as many bytes. Everybody gets all
// that is said in the room. A session has no `close()` at all: it ends when nothing refers to it any more.
namespace ported {

constexpr std::size_t chat_header_length = 4, chat_body_length = 512;

inline std::string chat_message(const std::string& body) {
    const std::string digits = std::to_string(body.size());
    return std::string(chat_header_length - digits.size(), ' ') + digits + body;
}

class chat_participant {
public:
    virtual ~chat_participant() = default;
    virtual void deliver(const std::string& message) = 0;
    virtual void close() = 0;
};

class chat_room {
public:
    void join(const std::shared_ptr<chat_participant>& participant) {
        participants_.insert(participant);
        for (const std::string& message : recent_) participant->deliver(message);
    }
    void leave(const std::shared_ptr<chat_participant>& participant) { participants_.erase(participant); }

    void deliver(const std::string& message) {
        recent_.push_back(message);
        while (recent_.size() > 100) recent_.pop_front();
        for (const auto& participant : participants_) participant->deliver(message);
    }
    void close() {
        for (const auto& participant : participants_) participant->close();
    }

private:
    std::set<std::shared_ptr<chat_participant>> participants_;
    std::deque<std::string> recent_;
};

template <class Types>
class chat_session : public chat_participant, public std::enable_shared_from_this<chat_session<Types>> {
public:
    chat_session(typename Types::socket socket, chat_room& room) : socket_(std::move(socket)), room_(room) {}
    chat_session(const chat_session&) = delete;
    chat_session& operator=(const chat_session&) = delete;

    void start() {
        room_.join(this->shared_from_this());
        do_read_header();
    }

    void deliver(const std::string& message) override {
        const bool write_in_progress = !write_messages_.empty();
        write_messages_.push_back(message);
        if (!write_in_progress) do_write();
    }

    void close() override { socket_.close(); }

private:
    void do_read_header() {
        auto self(this->shared_from_this());
        asio::async_read(socket_, asio::buffer(header_), [this, self](error_code ec, std::size_t) {
            if (!ec && decode_header())
                do_read_body();
            else
                room_.leave(this->shared_from_this());
        });
    }

    void do_read_body() {
        auto self(this->shared_from_this());
        asio::async_read(socket_, asio::buffer(body_), [this, self](error_code ec, std::size_t) {
            if (!ec) {
                room_.deliver(chat_message(body_));
                do_read_header();
            } else {
                room_.leave(this->shared_from_this());
            }
        });
    }

    void do_write() {
        auto self(this->shared_from_this());
        asio::async_write(socket_, asio::buffer(write_messages_.front()), [this, self](error_code ec, std::size_t) {
            if (!ec) {
                write_messages_.pop_front();
                if (!write_messages_.empty()) do_write();
            } else {
                room_.leave(this->shared_from_this());
            }
        });
    }

    bool decode_header() {
        std::size_t length = 0;
        for (const char c : header_) {
            if (c == ' ') continue;
            if (c < '0' || c > '9') return false;
            length = length * 10 + static_cast<std::size_t>(c - '0');
        }
        body_.resize(length);
        return length <= chat_body_length;
    }

    typename Types::socket socket_;
    chat_room& room_;
    std::array<char, chat_header_length> header_{};
    std::string body_;
    std::deque<std::string> write_messages_;
};

template <class Types>
class chat_server {
public:
    explicit chat_server(const tcp::endpoint& endpoint) : acceptor_(io_context_, endpoint) { do_accept(); }
    chat_server(const chat_server&) = delete;
    chat_server& operator=(const chat_server&) = delete;

    tcp::endpoint endpoint() { return acceptor_.local_endpoint(); }

    void run() { io_context_.run(); }

    void stop() {
        asio::post(io_context_, [this] {
            acceptor_.close();
            room_.close();
        });
    }

private:
    void do_accept() {
        acceptor_.async_accept([this](error_code ec, typename Types::socket socket) {
            if (!acceptor_.is_open()) return;
            if (!ec) std::make_shared<chat_session<Types>>(std::move(socket), room_)->start();
            do_accept();
        });
    }

    asio::io_context io_context_;
    typename Types::acceptor acceptor_;
    chat_room room_;
};

} // namespace ported

#endif
