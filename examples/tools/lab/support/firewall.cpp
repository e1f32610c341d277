// SPDX-License-Identifier: BSL-1.0
#include "firewall.hpp"

#include <stdexcept>

namespace lab {

void lose_at_random(const host& h, unsigned percent) {
    if (percent > 99) throw std::invalid_argument("a loss of " + std::to_string(percent) + " percent; 0 to 99 will do");
    // Declaring a table before deleting it keeps the deletion from failing if there is none.
    std::string rules = "table ip loss {}\ndelete table ip loss\n";
    if (percent > 0)
        rules += "table ip loss {\n"
                 "    chain arriving {\n"
                 "        type filter hook prerouting priority raw;\n"
                 "        iifname != \"lo\" meta l4proto tcp numgen random mod 100 < " +
                 std::to_string(percent) + " drop\n    }\n}\n";
    h.nft(rules);
}

static void masquerade_to(const host& router, const std::string& outside, const std::string& ports) {
    router.nft("table ip nat {\n"
               "    chain leaving {\n"
               "        type nat hook postrouting priority srcnat;\n"
               "        oifname \"" +
               outside + "\" ip protocol tcp masquerade" + ports + "\n    }\n}\n");
}

void masquerade(const host& router, const std::string& outside) { masquerade_to(router, outside, ""); }

void masquerade(const host& router, const std::string& outside, std::uint16_t first, std::uint16_t last) {
    masquerade_to(router, outside, " to :" + std::to_string(first) + "-" + std::to_string(last));
}

void map_ports_twice(const host& router, const std::string& outside, const std::string& address, std::uint16_t first,
                     std::size_t used_twice, std::uint16_t outside_first) {
    std::string ports;
    for (std::size_t i = 0; i < 2 * used_twice; ++i)
        ports +=
            (i == 0 ? "" : ", ") + std::to_string(first + i) + " : " + std::to_string(outside_first + i % used_twice);
    router.nft("table ip nat {\n"
               "    chain leaving {\n"
               "        type nat hook postrouting priority srcnat;\n"
               "        oifname \"" +
               outside + "\" ip protocol tcp snat to " + address + " : tcp sport map { " + ports + " }\n    }\n}\n");
}

void drop_resets(const host& router) {
    router.nft("table ip resets {\n"
               "    chain passing {\n"
               "        type filter hook forward priority filter;\n"
               "        tcp flags & rst == rst drop\n    }\n}\n");
}

} // namespace lab
