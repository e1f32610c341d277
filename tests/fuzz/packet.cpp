// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include "observation/segment.hpp"

#include <vector>

// Packets as a capture gives them, cut off anywhere.
namespace fuzz::packet {

void run(input in) {
    const auto bytes = in.take_bytes(in.size());
    const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
    const auto whole = observation::parse_segment(copy.data(), copy.size());
    if (!whole) return;
    require(copy.size() >= 40, "a segment has a whole header");
    require(whole->length <= 65535 + 40, "a segment is no longer than a packet");
    require(whole->end() == whole->sequence + whole->length, "a segment ends behind its data");
}

const target here("packet", run);

} // namespace fuzz::packet
