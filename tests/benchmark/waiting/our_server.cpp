// SPDX-License-Identifier: BSL-1.0
#include "limits.hpp"
#include "server.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/ip/tcp.hpp>

#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

namespace benchmark_waiting {

namespace {

using asio::ip::tcp;

/// One limit, as by hand: drain_idle never acts.
constexpr closeside::close_policy graceful(std::size_t limit) {
    return {.drain_time = limits[limit], .drain_idle = limits[limit]};
}

template <closeside::close_policy P, bool Drops>
class our_server final : public server {
public:
    explicit our_server(asio::io_context& context) : acceptor_(context, {tcp::v4(), 0}) {}

    std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }

    void accept(unsigned connections) override {
        streams_.reserve(connections);
        while (streams_.size() != connections) {
            streams_.push_back(acceptor_.accept());
            streams_.back().socket().native_non_blocking(true); // as after any asynchronous operation
        }
    }

    void close_all() override {
        if (!Drops)
            for (auto& s : streams_)
                s.async_close([this](const asio::error_code&, const closeside::close_report& r) { last_ = r; });
        decltype(streams_)().swap(streams_);
    }

private:
    closeside::basic_acceptor<P> acceptor_;
    std::vector<closeside::basic_stream<P>> streams_;
    closeside::close_report last_;
};

template <bool Drops, std::size_t... Limit>
std::unique_ptr<server> make(asio::io_context& context, std::chrono::milliseconds limit,
                             std::index_sequence<Limit...>) {
    std::unique_ptr<server> made;
    const bool known =
        ((limits[Limit] == limit && (made = std::make_unique<our_server<graceful(Limit), Drops>>(context), true)) ||
         ...);
    if (!known) throw std::invalid_argument("no policy has this drain_time");
    return made;
}

} // namespace

std::unique_ptr<server> close_by_policy(asio::io_context& context, std::chrono::milliseconds limit) {
    return make<false>(context, limit, std::make_index_sequence<limits.size()>());
}

std::unique_ptr<server> drop_by_policy(asio::io_context& context, std::chrono::milliseconds limit) {
    return make<true>(context, limit, std::make_index_sequence<limits.size()>());
}

} // namespace benchmark_waiting
