// SPDX-License-Identifier: BSL-1.0
#include "one_client.hpp"

#include "../support/check_each.hpp"

#include <algorithm>
#include <cmath>

namespace lab::nat::one_client {

namespace {

std::string counts(const result& r) {
    return std::to_string(r.challenged) + " of " + std::to_string(r.connects) + " challenged, " +
           std::to_string(r.late) + " late, " + std::to_string(r.failed) + " failed";
}

/// As often as a coin falls on one side: within five standard deviations, which a million runs do not leave.
bool about_half(std::size_t part, std::size_t whole) {
    const double n = static_cast<double>(whole);
    return whole > 0 && std::abs(static_cast<double>(part) - n / 2) <= 2.5 * std::sqrt(n);
}

bool leaves_time_wait(const variant& v) {
    return server_closes_first(v.how) || (v.how == ending::peer_first && !v.client_ends);
}

void claim_time_wait(report& r, const results& all) {
    check_each(
        r, all, "The server holds TIME-WAIT where it closes first, and under peer_first for a client that never ends.",
        [](const variant&) { return true; },
        [](const result& one) { return one.time_wait_on_server == (leaves_time_wait(one.what) ? one.connects : 0); },
        [](const result& one) {
            return std::to_string(one.time_wait_on_server) + " of " + std::to_string(one.connects);
        });
}

void claim_challenges(report& r, const results& all, bool own_offsets) {
    const auto usual = [](const variant& v) { return leaves_time_wait(v) && v.client_timestamps == 1; };
    if (own_offsets)
        check_each(
            r, all, "Each connection has an offset of its own: about half of the connects are challenged.", usual,
            [](const result& one) { return about_half(one.challenged, one.connects); }, counts);
    else
        check_each(
            r, all, "All connections to an address share an offset: one client's connects are never challenged.", usual,
            [](const result& one) { return one.challenged == 0 && one.failed == 0; }, counts);
    check_each(
        r, all, "A SYN is challenged where its timestamp is behind the last of the connection before, nowhere else.",
        [](const variant& v) { return leaves_time_wait(v) && v.client_timestamps != 0; },
        [](const result& one) { return one.otherwise == 0; },
        [](const result& one) {
            return std::to_string(one.behind) + " behind, " + std::to_string(one.challenged) + " challenged";
        });
    check_each(
        r, all, "Without timestamps the sequence number decides: about half are challenged.",
        [](const variant& v) { return v.client_timestamps == 0; },
        [](const result& one) { return about_half(one.challenged, one.connects); }, counts);
    check_each(
        r, all, "With tcp_timestamps = 2 at the client there is no offset, and nobody is challenged.",
        [](const variant& v) { return v.client_timestamps == 2; },
        [](const result& one) { return one.challenged == 0 && one.failed == 0; }, counts);
}

void claim_what_it_costs(report& r, const results& all) {
    check_each(
        r, all, "With tcp_rfc1337 = 0 every challenged client is connected in the end.",
        [](const variant& v) { return !v.rfc1337; }, [](const result& one) { return one.failed == 0; }, counts);
    check_each(
        r, all, "With tcp_rfc1337 = 1 every challenged client is locked out, and no other.",
        [](const variant& v) { return v.rfc1337; }, [](const result& one) { return one.failed == one.challenged; },
        counts);
    check_each(
        r, all, "Where the server holds no TIME-WAIT nobody is challenged: a client that ends, or peer_first_or_reset.",
        [](const variant& v) { return !leaves_time_wait(v); },
        [](const result& one) { return one.challenged == 0 && one.failed == 0; }, counts);
}

} // namespace

const result& pick(const results& all, ending how, bool rfc1337) {
    return *std::find_if(all.begin(), all.end(), [&](const result& r) {
        return r.what.how == how && r.what.rfc1337 == rfc1337 && r.what.client_ends && r.what.client_timestamps == 1;
    });
}

bool kernel_has_own_offsets(const results& all) {
    return std::any_of(all.begin(), all.end(), [](const result& r) { return r.own_offsets; });
}

void check_claims(report& r, const results& all) {
    claim_time_wait(r, all);
    claim_challenges(r, all, kernel_has_own_offsets(all));
    claim_what_it_costs(r, all);
}

} // namespace lab::nat::one_client
