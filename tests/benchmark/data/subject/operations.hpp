// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_DATA_OPERATIONS_HPP
#define CLOSESIDE_BENCHMARK_DATA_OPERATIONS_HPP

#include "benchmark/support/measured_part.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error_code.hpp>
#include <asio/io_context.hpp>
#include <asio/system_error.hpp>
#include <asio/use_awaitable.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>

namespace benchmark_data {

/// Every way of moving data, so often, through the stream of a connection.
/** A Connection is made from an io_context. Its `stream` finds data for `ahead` reads of `size` bytes after feed(), and
 *  room for as many writes after drain(). */
template <class Connection>
class operations {
public:
    explicit operations(std::size_t count) : count_(count) {}

    void run(const std::string& operation) {
        static const std::map<std::string, void (operations::*)()> all{
            {"read_some", &operations::read_some},
            {"write_some", &operations::write_some},
            {"async_read_some", &operations::async_read_some},
            {"async_write_some", &operations::async_write_some},
            {"co_await", &operations::co_await_read}};
        (this->*all.at(operation))();
    }

private:
    static constexpr std::size_t size = Connection::size, ahead = Connection::ahead;

    void read_some() {
        benchmark_support::resume_measuring();
        for (std::size_t i = 0; i != count_; ++i) {
            if (i % ahead == 0) connection_.feed();
            check(connection_.stream.read_some(asio::buffer(buffer_), ec_));
        }
        benchmark_support::pause_measuring();
    }

    void write_some() {
        benchmark_support::resume_measuring();
        for (std::size_t i = 0; i != count_; ++i) {
            check(connection_.stream.write_some(asio::buffer(buffer_), ec_));
            if ((i + 1) % ahead == 0) connection_.drain();
        }
        benchmark_support::pause_measuring();
    }

    void async_read_some() {
        start_read();
        run_loop();
    }

    void async_write_some() {
        start_write();
        run_loop();
    }

    void co_await_read() {
        asio::co_spawn(context_, read_by_coroutine(), [this](std::exception_ptr e) { failure_ = e; });
        run_loop();
    }

    void start_read() {
        if (done_ % ahead == 0) connection_.feed();
        connection_.stream.async_read_some(asio::buffer(buffer_), [this](const asio::error_code& ec, std::size_t n) {
            ec_ = ec;
            check(n);
            if (++done_ != count_) start_read();
        });
    }

    void start_write() {
        connection_.stream.async_write_some(asio::buffer(buffer_), [this](const asio::error_code& ec, std::size_t n) {
            ec_ = ec;
            check(n);
            if (++done_ % ahead == 0) connection_.drain();
            if (done_ != count_) start_write();
        });
    }

    asio::awaitable<void> read_by_coroutine() {
        for (; done_ != count_; ++done_) {
            if (done_ % ahead == 0) connection_.feed();
            check(co_await connection_.stream.async_read_some(asio::buffer(buffer_), asio::use_awaitable));
        }
    }

    void run_loop() {
        benchmark_support::resume_measuring();
        context_.run();
        benchmark_support::pause_measuring();
        if (failure_) std::rethrow_exception(failure_);
    }

    void check(std::size_t bytes) const {
        if (ec_) throw asio::system_error(ec_);
        if (bytes != size) throw std::runtime_error("an operation was cut short");
    }

    std::size_t count_;
    asio::io_context context_;
    Connection connection_{context_};
    std::array<char, size> buffer_{};
    asio::error_code ec_;
    std::size_t done_ = 0;
    std::exception_ptr failure_;
};

} // namespace benchmark_data

#endif
