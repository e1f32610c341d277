// SPDX-License-Identifier: BSL-1.0
#include "contender.hpp"
#include "http_server.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>
#include <closeside/report.hpp>
#include <closeside/stream.hpp>

#include <memory>
#include <string>

namespace benchmark_serve {

namespace {

/// Waits for the report, as a server does that logs how its connections end.
template <closeside::close_policy P>
struct async_closing {
    using acceptor_type = closeside::acceptor<P>;
    using stream_type = closeside::stream<P>;

    explicit async_closing(stream_type&) {}

    static void end(const std::shared_ptr<session<async_closing>>& s) {
        s->stream.async_close([s](const asio::error_code&, const closeside::close_report&) {});
    }
};

/// Leaves it to the stream's destructor.
template <closeside::close_policy P>
struct dropping {
    using acceptor_type = closeside::acceptor<P>;
    using stream_type = closeside::stream<P>;

    explicit dropping(stream_type&) {}

    static void end(const std::shared_ptr<session<dropping>>&) {}
};

template <closeside::close_policy P>
void add(std::vector<contender>& all, const std::string& name, client its_client) {
    all.push_back({name + ", async_close", serve<async_closing<P>>, its_client});
    all.push_back({name + ", dropped", serve<dropping<P>>, its_client});
}

} // namespace

std::vector<contender> our_presets() {
    std::vector<contender> all;
    add<closeside::policies::graceful>(all, "graceful", client::closes_at_end);
    add<closeside::policies::abortive>(all, "abortive", client::closes_at_end);
    add<closeside::policies::system>(all, "system", client::closes_at_end);
    add<closeside::policies::peer_first>(all, "peer_first", client::closes_when_complete);
    return all;
}

} // namespace benchmark_serve
