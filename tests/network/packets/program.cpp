// SPDX-License-Identifier: BSL-1.0
#include "network/packets/program.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/orderly_stop.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <array>
#include <cstring>
#include <string>
#include <utility>

namespace packets {

namespace {

using asio::ip::tcp;
using closeside::close_policy;

tcp::endpoint endpoint_of(const address& a) {
    tcp::endpoint e;
    const std::size_t size = a.is_v6() ? sizeof(::sockaddr_in6) : sizeof(::sockaddr_in);
    std::memcpy(e.data(), a.get(), size);
    e.resize(size);
    return e;
}

template <close_policy P>
class program_of final : public program {
public:
    explicit program_of(const address& here) : listener_(io_, endpoint_of(here)) {}

    static std::unique_ptr<program> make(const address& here) { return std::make_unique<program_of>(here); }

    bool run() override {
        io_.restart();
        return io_.poll() != 0;
    }
    address listens_at() const override {
        const tcp::endpoint e = listener_.local_endpoint();
        return at(e.address().to_string().c_str(), e.port());
    }
    void accept() override {
        listener_.async_accept([this](closeside::error_code ec, closeside::stream<P> s) {
            if (!ec) stream_.emplace(std::move(s));
        });
    }
    void connect(const address& to) override {
        connecting_.emplace(io_);
        connecting_->async_connect(endpoint_of(to), [this](closeside::error_code ec) {
            if (!ec) stream_.emplace(std::move(*connecting_));
        });
    }
    bool has_stream() const override { return stream_.has_value(); }
    bool accept_next() override {
        listener_.non_blocking(true);
        closeside::error_code ec;
        closeside::stream<P> next = listener_.accept(ec);
        if (!ec) stream_.emplace(std::move(next));
        return !ec;
    }
    void write(std::size_t size) override { asio::write(*stream_, asio::buffer(std::string(size, 'w'))); }
    void read(std::size_t size) override {
        std::string room(size, '\0');
        asio::read(*stream_, asio::buffer(room));
    }
    void half_close() override { stream_->shutdown(asio::socket_base::shutdown_send); }
    void abort() override { stream_->abort(); }
    void drop() override { stream_.reset(); }
    void close(const std::optional<close_policy>& p, std::size_t last_bytes) override {
        stream_->async_close(p.value_or(P), closeside::last_bytes(std::string(last_bytes, 'l')),
                             asio::bind_cancellation_slot(
                                 cancel_.slot(), [this](closeside::error_code ec, const closeside::close_report& r) {
                                     error = ec;
                                     report = r;
                                 }));
    }
    void cancel() override { cancel_.emit(asio::cancellation_type::terminal); }
    void stop(bool idle, std::chrono::milliseconds within) override {
        stop_.emplace(io_);
        member_.emplace(*stop_, *stream_);
        if (idle)
            stream_->async_read_some(asio::buffer(room_), member_->idle([this](closeside::error_code ec, std::size_t) {
                if (ec == asio::error::operation_aborted) close({}, 0);
            }));
        stop_->async_stop({.within = within}, [](closeside::error_code, const closeside::stop_report&) {});
    }

private:
    asio::io_context io_;
    closeside::acceptor<P> listener_;
    std::optional<closeside::stream<P>> connecting_;
    std::optional<closeside::stream<P>> stream_;
    std::optional<closeside::orderly_stop> stop_;
    std::optional<closeside::orderly_stop::member> member_;
    asio::cancellation_signal cancel_;
    std::array<char, 64> room_{};
};

template <close_policy P>
constexpr under of(const char* name) {
    return {name, &program_of<P>::make};
}

constexpr close_policy dropped_as_system{.on_destroy = closeside::destroy_action::close};
constexpr close_policy skipping{.linger2 = closeside::fin_wait2::skip, .drain_time = closeside::close_duration{0}};

} // namespace

const under graceful = of<closeside::policies::graceful>("graceful");
const under peer_first = of<closeside::policies::peer_first>("peer_first");
const under peer_first_or_reset = of<closeside::policies::peer_first_or_reset>("peer_first_or_reset");
const under abortive = of<closeside::policies::abortive>("abortive");
const under system_like = of<closeside::policies::system>("system");
const under skips_fin_wait2 = of<skipping>("linger2=skip");
const under drops_as_system = of<dropped_as_system>("on_destroy=close");

} // namespace packets
