// SPDX-License-Identifier: BSL-1.0
#include "ported/chat_server.hpp"

#include "ported/peer.hpp"
#include "ported/running.hpp"
#include "support/kernel_view.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace cs = closeside;
namespace kv = kernel_view;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;

/// Somebody in the room who reads what is said.
struct chatter : ported::peer {
    using peer::peer;

    bool hears(const std::string& body) {
        const std::string message = ported::chat_message(body);
        read_until(heard, [&](const std::string& all) { return all.find(message) != std::string::npos; });
        return heard.find(message) != std::string::npos;
    }

    std::string heard;
};

struct chat_experience {
    int said = 0, heard_by_all = 0;
    bool exited = false;
    bool left_orderly = false;   ///< who ended its half got the end of the stream, and all that was said before
    bool flooder_heard = false;  ///< the last word before it was thrown out, which was queued for it
    std::size_t outstanding = 0; ///< bytes that the flooder has not read when it is thrown out
};

/// Two who talk, while others reset, stall and flood.
template <class Server>
chat_experience talk(ported::running<Server>& server) {
    chat_experience seen;
    chatter a(server.at()), b(server.at());
    const auto say = [&] {
        const std::string word = "word " + std::to_string(++seen.said);
        const auto began = std::chrono::steady_clock::now();
        const bool heard = a.send(ported::chat_message(word)) && b.hears(word) && a.hears(word);
        seen.heard_by_all += heard && std::chrono::steady_clock::now() - began < ported::healthy_bound ? 1 : 0;
        return word;
    };
    say();
    std::vector<ported::peer> stalled;
    ported::peer flooder(server.at());
    std::string chatter_of_flooder;
    for (int i = 0; i < 200; ++i)
        chatter_of_flooder += ported::chat_message(std::string(ported::chat_body_length, 'f'));
    for (int round = 0; round < 6; ++round) {
        ported::peer(server.at()).reset();
        ported::peer half(server.at()), mute(server.at());
        half.send(ported::chat_message("half of this").substr(0, 7));
        mute.send(ported::chat_message("reset")); // it reads nothing of what is queued for it
        b.hears("reset");
        half.reset();
        mute.reset();
        say();
        stalled.emplace_back(server.at());
        say();
        CHECK(flooder.send(chatter_of_flooder));
        say();
    }
    // What is no message ends a session, when all that is queued for it has been written.
    const auto server_has_all = [&] {
        return kv::find(flooder.local(), server.at()).send_queue == 0 &&
               kv::find(server.at(), flooder.local()).receive_queue == 0;
    };
    CHECK(kv::eventually(server_has_all));
    const std::string last = say();
    seen.outstanding = kv::find(server.at(), flooder.local()).send_queue;
    flooder.send("this is no message" + std::string(20'000, 'f'));
    say();
    CHECK(kv::eventually([&] { return kv::state(server.at(), flooder.local()) != kv::established; }));
    seen.flooder_heard = flooder.read_to_end().find(ported::chat_message(last)) != std::string::npos;
    a.half_close();
    seen.left_orderly = a.read_to_end().empty() && a.error() == 0;
    seen.exited = server.has_exited();
    return seen;
}

} // namespace

TEST_CASE("Asio's chat server, its types changed, lets people talk whatever others do, and all is heard") {
    ported::running<ported::chat_server<ported::closeside_types<graceful>>> server;
    const chat_experience seen = talk(server);
    CHECK_FALSE(seen.exited);
    CHECK(seen.heard_by_all == seen.said);
    CHECK(seen.left_orderly);
    CHECK(seen.outstanding > 0);
    CHECK(seen.flooder_heard);
    CHECK(server.stops());
}

TEST_CASE("Asio's chat server itself lets people talk, and cuts what is queued for whom it throws out") {
    ported::running<ported::chat_server<ported::asio_types>> server;
    const chat_experience seen = talk(server);
    CHECK_FALSE(seen.exited);
    CHECK(seen.heard_by_all == seen.said);
    CHECK(seen.left_orderly);
    CHECK(seen.outstanding > 0);
    CHECK_FALSE(seen.flooder_heard);
    CHECK(server.stops());
}
