// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CLOSE_COUNTERS_HPP
#define CLOSESIDE_CLOSE_COUNTERS_HPP

#include <closeside/report.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace closeside {

/// How connections have ended: what statistics::snapshot() returns. A plain value.
/** Every ending is counted once under each of ended_by, first_fin, time_wait and limit, so that each of these adds up to
 *  total(). Counters only grow; `waiting` is how many closes wait now. */
struct close_counters {
    /// A count for each value, of which the last is `unknown`.
    template <class Label>
    using by = std::array<std::uint64_t, static_cast<std::size_t>(Label::unknown) + 1>;

    /// Buckets of the time from the start of a close to the release of the descriptor: up to 1 ms, 2 ms, 4 ms … 65.536 s,
    /// and longer ones.
    static constexpr std::size_t buckets = 18;

    by<ending> ended_by{};            ///< by what ended them
    by<fin_sender> first_fin{};       ///< by whose FIN came first
    by<time_wait_holder> time_wait{}; ///< by who is left with TIME-WAIT
    /// By the limit that cut the close short.
    std::array<std::uint64_t, static_cast<std::size_t>(close_limit::shed) + 1> limit{};
    std::array<std::uint64_t, buckets> took{}; ///< in this bucket, and in none below it
    std::chrono::microseconds took_in_all{};   ///< the sum of these times
    std::uint64_t discarded = 0;               ///< bytes from the peers that closes have read and thrown away
    std::uint64_t waiting = 0;                 ///< closes that wait now

    /// How many have ended in this way.
    constexpr std::uint64_t count(ending e) const noexcept { return ended_by[static_cast<std::size_t>(e)]; }
    constexpr std::uint64_t count(fin_sender s) const noexcept { return first_fin[static_cast<std::size_t>(s)]; }
    constexpr std::uint64_t count(time_wait_holder h) const noexcept { return time_wait[static_cast<std::size_t>(h)]; }
    constexpr std::uint64_t count(close_limit l) const noexcept { return limit[static_cast<std::size_t>(l)]; }
    /// How many have ended.
    constexpr std::uint64_t total() const noexcept { return sum(ended_by); }
    /// Closes that were ended to make room for others.
    constexpr std::uint64_t shed() const noexcept { return count(close_limit::shed); }

    /// The longest time that belongs into a bucket; of the last there is none, and `max()` is returned.
    static constexpr std::chrono::microseconds bound(std::size_t bucket) noexcept {
        if (bucket + 1 >= buckets) return std::chrono::microseconds::max();
        return std::chrono::milliseconds(std::int64_t{1} << bucket);
    }
    /// The bucket that a time belongs into.
    static constexpr std::size_t bucket_of(std::chrono::microseconds t) noexcept {
        const auto us = static_cast<std::uint64_t>(t.count());
        if (us <= 1000) return 0;
        // Of the milliseconds that are over.
        const auto bucket = static_cast<std::size_t>(std::bit_width((us - 1) / 1000));
        return bucket < buckets ? bucket : buckets - 1;
    }

    /// What has ended since an earlier snapshot of the same context; `waiting` is that of the later one.
    friend constexpr close_counters operator-(close_counters later, const close_counters& earlier) noexcept {
        subtract(later.ended_by, earlier.ended_by);
        subtract(later.first_fin, earlier.first_fin);
        subtract(later.time_wait, earlier.time_wait);
        subtract(later.limit, earlier.limit);
        subtract(later.took, earlier.took);
        later.took_in_all -= earlier.took_in_all;
        later.discarded -= earlier.discarded;
        return later;
    }
    /// Of several contexts.
    friend constexpr close_counters operator+(close_counters a, const close_counters& b) noexcept {
        add(a.ended_by, b.ended_by);
        add(a.first_fin, b.first_fin);
        add(a.time_wait, b.time_wait);
        add(a.limit, b.limit);
        add(a.took, b.took);
        a.took_in_all += b.took_in_all;
        a.discarded += b.discarded;
        a.waiting += b.waiting;
        return a;
    }
    friend constexpr bool operator==(const close_counters&, const close_counters&) noexcept = default;

private:
    template <std::size_t N>
    static constexpr std::uint64_t sum(const std::array<std::uint64_t, N>& a) noexcept {
        std::uint64_t n = 0;
        for (const std::uint64_t each : a) n += each;
        return n;
    }
    template <std::size_t N>
    static constexpr void subtract(std::array<std::uint64_t, N>& a, const std::array<std::uint64_t, N>& b) noexcept {
        for (std::size_t i = 0; i < N; ++i) a[i] -= b[i];
    }
    template <std::size_t N>
    static constexpr void add(std::array<std::uint64_t, N>& a, const std::array<std::uint64_t, N>& b) noexcept {
        for (std::size_t i = 0; i < N; ++i) a[i] += b[i];
    }
};

namespace detail {

/// Calls `each(value, count)` for every value of a label, in order.
template <class Label, std::size_t N, class Each>
void for_each_label(const std::array<std::uint64_t, N>& counts, Each each) {
    for (std::size_t i = 0; i < N; ++i) each(to_string(static_cast<Label>(i)), counts[i]);
}

/// "1.024", without zeros at its end.
inline std::string seconds_text(std::int64_t microseconds) {
    std::string digits = std::to_string(microseconds % 1'000'000);
    digits.insert(0, 6 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    const std::string whole = std::to_string(microseconds / 1'000'000);
    return digits.empty() ? whole : whole + "." + digits;
}

} // namespace detail

/// One line for a log: `ended=12 fin=10 reset_by_us=2 first_fin_local=9 … waiting=3`. What is 0 is left out, but for
/// the total and `waiting`.
inline std::string to_string(const close_counters& c) {
    std::string text = "ended=" + std::to_string(c.total());
    const auto field = [&text](const std::string& prefix) {
        return [&text, prefix](const char* name, std::uint64_t n) {
            if (n != 0) text += " " + prefix + name + "=" + std::to_string(n);
        };
    };
    detail::for_each_label<ending>(c.ended_by, field(""));
    detail::for_each_label<fin_sender>(c.first_fin, field("first_fin_"));
    detail::for_each_label<time_wait_holder>(c.time_wait, field("time_wait_"));
    detail::for_each_label<close_limit>(c.limit, field("limit_"));
    field("")("discarded", c.discarded);
    const auto total = static_cast<std::int64_t>(c.total());
    if (total != 0) text += " mean_us=" + std::to_string(c.took_in_all.count() / total);
    return text + " waiting=" + std::to_string(c.waiting);
}

/// The OpenMetrics text of a scrape, `# EOF` included; the content type is
/// `application/openmetrics-text; version=1.0.0; charset=utf-8`.
/** Where OpenTelemetry's semantic conventions have a word it is used: a *connection* is counted, its
 *  `network.transport` is tcp, a duration is in seconds, bytes have a `network.io.direction`. They have no metric for how
 *  connections end (system.network.connection.count counts those of a host by state), so the names are ours. Every value
 *  of every label is there from the start, so that rates miss nothing.
 *
 *  A server that has metrics of its own gives these in front of them, without the last line: `with_end = false`. */
inline std::string open_metrics(const close_counters& c, bool with_end = true) {
    std::string text;
    const auto family = [&text](const std::string& name, const char* type, const char* unit, const char* help) {
        text += "# TYPE " + name + " " + type + "\n";
        if (*unit != '\0') text += "# UNIT " + name + " " + unit + "\n";
        text += "# HELP " + name + " " + help + "\n";
    };
    const auto sample = [&text](const std::string& name, const std::string& labels, const std::string& value) {
        text += name + (labels.empty() ? "" : "{" + labels + "}") + " " + value + "\n";
    };
    const auto counted = [&](const std::string& name, const std::string& label) {
        return [&sample, name, label](const char* value, std::uint64_t n) {
            sample(name + "_total", "network_transport=\"tcp\"," + label + "=\"" + value + "\"", std::to_string(n));
        };
    };
    family("closeside_connection_ends", "counter", "", "Connections that have ended, by what ended them.");
    detail::for_each_label<ending>(c.ended_by, counted("closeside_connection_ends", "ended_by"));
    family("closeside_connection_first_fins", "counter", "", "The same, by whose FIN came first.");
    detail::for_each_label<fin_sender>(c.first_fin, counted("closeside_connection_first_fins", "first_fin"));
    family("closeside_connection_time_waits", "counter", "", "The same, by who is left with TIME-WAIT.");
    detail::for_each_label<time_wait_holder>(c.time_wait, counted("closeside_connection_time_waits", "holder"));
    family("closeside_connection_limits", "counter", "", "The same, by the limit that cut the close short.");
    detail::for_each_label<close_limit>(c.limit, counted("closeside_connection_limits", "limit"));
    const std::string discarded = "closeside_connection_discarded_bytes";
    family(discarded, "counter", "bytes", "Bytes from the peers that closes have read and thrown away.");
    sample(discarded + "_total", "network_transport=\"tcp\",network_io_direction=\"receive\"",
           std::to_string(c.discarded));
    family("closeside_connections_closing", "gauge", "", "Closes that wait now.");
    sample("closeside_connections_closing", "network_transport=\"tcp\"", std::to_string(c.waiting));
    const std::string took = "closeside_connection_close_duration_seconds";
    family(took, "histogram", "seconds", "From the start of a close to the release of the descriptor.");
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < c.buckets; ++i) {
        so_far += c.took[i];
        const bool last = i + 1 == c.buckets;
        const std::string le = last ? "+Inf" : detail::seconds_text(c.bound(i).count());
        sample(took + "_bucket", "le=\"" + (last || le.find('.') != le.npos ? le : le + ".0") + "\"",
               std::to_string(so_far));
    }
    sample(took + "_count", "", std::to_string(so_far));
    sample(took + "_sum", "", detail::seconds_text(c.took_in_all.count()));
    return with_end ? text + "# EOF\n" : text;
}

} // namespace closeside

#endif
