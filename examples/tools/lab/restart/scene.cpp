// SPDX-License-Identifier: BSL-1.0
#include "scene.hpp"

#include "../support/observed.hpp"
#include "../support/tcp_sockets.hpp"

#include "clients.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <sys/socket.h>

namespace lab::restart {

namespace {

using namespace std::chrono_literals;

constexpr auto limit = 20s; // for what the kernel or a process on a busy machine does at once

/// A machine that is short of memory for TCP resets what is closed, and in none of the states is anything then.
std::string reset_for_want_of_memory(const host& h) {
    const long long reset = counters(h)["TCPAbortOnMemory"].value_or(0);
    return reset == 0 ? std::string()
                      : "; the kernel has reset " + std::to_string(reset) +
                            " closed sockets, for want of memory or because of net.ipv4.tcp_max_orphans, which all "
                            "programs of the machine share";
}

template <class Condition>
void wait_until(Condition condition, const host& server, const std::string& what) {
    if (!eventually(condition, limit))
        throw std::runtime_error("waited in vain until " + what + reset_for_want_of_memory(server));
}

const char* address_for(const host& client) { return client.name() == "gone" ? "198.51.100.1" : "192.0.2.1"; }

} // namespace

scene::scene(sharing options, legacy what, const amounts& many) {
    link(server_, "192.0.2.1/24", client_, "192.0.2.2/24");
    link(server_, "198.51.100.1/24", gone_, "198.51.100.2/24");
    bound_socket listening = server_.run([&] { return listen_on_port(options); });
    if (listening.error != 0) throw std::system_error(listening.error, std::generic_category(), "the first listener");
    if (what == legacy::leaked) program_.emplace(leak_to_program(listening.socket));
    if (many.worker > 0) hand_to_worker(listening.socket, many.worker);
    serving_.emplace(serve(listening.socket));
    listening.socket.close();

    let_server_close(many.closed_by_server);
    std::vector<descriptor> silent;
    keep(clients_, client_, many.kept);
    keep(silent, gone_, 3 * many.silent);
    wait_for_server(many.kept + 3 * many.silent);
    for (std::size_t i = 0; i < many.silent; ++i) ::shutdown(silent[i].get(), SHUT_WR); // -> CLOSE-WAIT
    wait_until([&] { return count_of(tcp_state::close_wait) == many.silent + many.worker; }, server_,
               "clients had closed");
    if (what != legacy::live) {
        gone_.nft("table ip silence {\n    chain arriving {\n        type filter hook prerouting priority raw;\n"
                  "        meta l4proto tcp drop\n    }\n}\n");
        serving_->signal(SIGTERM);
        if (!serving_->wait(limit)) throw std::runtime_error("the old server did not stop");
        for (std::size_t i = many.silent; i < 2 * many.silent; ++i) ::shutdown(silent[i].get(), SHUT_WR); // -> CLOSING
        wait_until(
            [&] {
                return count_of(tcp_state::fin_wait2) == many.kept && count_of(tcp_state::closing) == many.silent &&
                       count_of(tcp_state::last_ack) == many.silent;
            },
            server_, "connections had taken notice of the end of the server");
    }
    std::move(silent.begin(), silent.end(), std::back_inserter(clients_));
}

states scene::connections() const {
    states all;
    for (const socket_entry& one : tcp_sockets(server_))
        if (one.local.port == server_port && one.state != tcp_state::listen) ++all[one.state];
    return all;
}

std::optional<pid_t> scene::worker() const { return worker_ ? std::optional(worker_->id()) : std::nullopt; }
std::optional<pid_t> scene::program() const { return program_ ? std::optional(program_->id()) : std::nullopt; }

/// The worker's process gets copies of these clients, too: they end by shutdown(2) and not by close(2).
void scene::hand_to_worker(const descriptor& listener, std::size_t each) {
    std::vector<descriptor> accepted;
    for (std::size_t i = 0; i < 2 * each; ++i) {
        clients_.push_back(connect_to(client_, address_for(client_)));
        accepted.push_back(accept_one(listener));
    }
    worker_.emplace(finish(listener, accepted));
    for (std::size_t i = 0; i < each; ++i) ::shutdown(clients_[i].get(), SHUT_WR); // -> CLOSE-WAIT
}

/// Until there are as many. Beside other busy namespaces a few have been seen to vanish at once; others take their place.
void scene::let_server_close(std::size_t many) {
    constexpr std::size_t at_once = 100;
    const auto deadline = steady::now() + limit;
    for (std::size_t have = 0; have < many; have = count_of(tcp_state::time_wait)) {
        if (steady::now() > deadline) throw std::runtime_error("waited in vain for TIME-WAIT on the server");
        std::vector<descriptor> batch;
        for (std::size_t i = 0; i < std::min(many - have, at_once); ++i) {
            batch.push_back(connect_to(client_, address_for(client_)));
            tell(batch.back(), order::close);
        }
        for (const descriptor& one : batch) wait_for_end(one);
        const std::size_t expected = have + batch.size();
        batch.clear();
        eventually([&] { return count_of(tcp_state::time_wait) >= expected; }, 500ms);
    }
}

void scene::keep(std::vector<descriptor>& here, const host& from, std::size_t many) {
    for (std::size_t i = 0; i < many; ++i) {
        here.push_back(connect_to(from, address_for(from)));
        tell(here.back(), order::keep);
    }
}

/// Until it has accepted them and read the order.
void scene::wait_for_server(std::size_t kept) const {
    const auto has_read = [](const socket_entry& s) {
        return s.local.port == server_port && s.state == tcp_state::established && s.inode != 0 && s.receive_queue == 0;
    };
    wait_until(
        [&] {
            const auto all = tcp_sockets(server_);
            const auto ready = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), has_read));
            const std::size_t of_worker = worker_ ? count_of(tcp_state::close_wait) : 0;
            return ready == kept + of_worker;
        },
        server_, "the server had accepted");
}

std::size_t scene::count_of(tcp_state state) const { return count(server_, state); }

} // namespace lab::restart
