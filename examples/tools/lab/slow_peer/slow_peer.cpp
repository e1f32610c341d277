// SPDX-License-Identifier: BSL-1.0
#include "flood.hpp"
#include "result.hpp"

#include "../labs.hpp"

#include <string>

namespace lab {

using namespace slow_peer;

report run_slow_peer(const settings& chosen) {
    const std::size_t wanted = chosen.quick ? 2'000 : most_peers;
    const std::size_t peers = affordable_peers(wanted);
    const outcome found = close_on_slow_peers(peers);
    const blocked contender = close_with_blocking_linger(chosen.quick ? 3 : 5);
    report r;
    r.setting = {std::to_string(peers) +
                     " peers on one host; on another a server with one thread, which closes them all at " +
                     std::to_string(closes_per_second) + " a second.",
                 "Some send one byte a second, some nothing, and some do not read their reply; none of these ever "
                 "closes. Others "
                 "read 1 KiB of it a second, and close when they have it.",
                 "After the last close the server's kernel goes on with " + std::to_string(found.orphans) +
                     " of the connections by itself (FIN-WAIT-1, FIN-WAIT-2)."};
    if (peers < wanted)
        r.notes.push_back("the hard limit for descriptors (ulimit -Hn) allows " + std::to_string(peers) +
                          " peers, not " + std::to_string(wanted));
    add_tables(r, found, contender);
    check_claims(r, found, contender, peers);
    add_flood(r, flood_with_slow_peers(lingering_by::closeside, chosen.quick ? 500 : 2'000, 50),
              flood_with_slow_peers(lingering_by::hand, 500, chosen.quick ? 2 : 10));
    draw_picture(r, found, contender);
    return r;
}

} // namespace lab
