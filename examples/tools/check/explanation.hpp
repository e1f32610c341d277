// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_EXPLANATION_HPP
#define CLOSESIDE_CHECK_EXPLANATION_HPP

#include <closeside/host/counter.hpp>
#include <closeside/host/key.hpp>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

// What `closeside-check explain` knows. The texts are the tool's alone: a server that includes closeside/host.hpp does
// not carry them. Each is one line of printable ASCII; rendering breaks it.
namespace check {

namespace host = closeside::host;

/// What stands about a sysctl beside its key_facts.
struct key_text {
    host::key key;
    /// What the kernel does by it.
    std::string_view does;
    /// The releases that have it.
    std::string_view since;
    /// Its default, by release.
    std::string_view by_default;
    /// What is commonly said of it, and what is true.
    std::string_view belief;
    std::string_view fact;
    /// What to set, or to leave.
    std::string_view advice;
    std::string_view source;
    /// Who can set it, where key_facts::reach does not tell: it is read-only, or set elsewhere.
    std::string_view set_by{};
    /// Which network namespaces have it, if key_facts::per_namespace_since does not tell the whole of it.
    std::string_view scope{};
};

/// A few keys, as a value that a table can hold; more than eight do not compile.
class key_list {
public:
    constexpr key_list() = default;
    constexpr key_list(std::initializer_list<host::key> keys) {
        for (const host::key k : keys) keys_.at(size_++) = k;
    }

    constexpr const host::key* begin() const noexcept { return keys_.data(); }
    constexpr const host::key* end() const noexcept { return keys_.data() + size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }

private:
    std::array<host::key, 8> keys_{};
    std::size_t size_ = 0;
};

/// What stands about a rule beside its title and its counters.
struct rule_text {
    std::string_view code;
    /// What it warns of.
    std::string_view warns;
    /// The mechanism.
    std::string_view why;
    /// When nothing need be done.
    std::string_view harmless;
    std::string_view advice;
    /// The keys that its findings can name; empty if these are any, or none.
    key_list keys{};
};

struct counter_text {
    host::counter counter;
    std::string_view meaning;
    /// The releases that count it.
    std::string_view since;
};

struct labelled_text {
    /// At most eight letters, which fit beside the text.
    std::string_view label;
    std::string_view text;
};

struct topic_text {
    std::string_view name;
    std::string_view title;
    std::span<const labelled_text> paragraphs;
};

// One function a file of texts.
std::span<const key_text> texts_of_time_wait_keys() noexcept;
std::span<const key_text> texts_of_orphan_keys() noexcept;
std::span<const key_text> texts_of_accepting_keys() noexcept;
std::span<const key_text> texts_of_connecting_keys() noexcept;
std::span<const key_text> texts_of_table_keys() noexcept;
std::span<const key_text> texts_of_conntrack_keys() noexcept;
std::span<const rule_text> texts_of_rules_0xx() noexcept;
std::span<const rule_text> texts_of_rules_10x() noexcept;
std::span<const rule_text> texts_of_rules_11x() noexcept;
std::span<const rule_text> texts_of_rules_2xx() noexcept;
std::span<const rule_text> texts_of_rules_3xx() noexcept;
std::span<const rule_text> texts_of_rules_4xx() noexcept;
std::span<const rule_text> texts_of_rules_5xx() noexcept;
std::span<const counter_text> counter_texts() noexcept;
const topic_text& topic_time_wait() noexcept;
const topic_text& topic_takeover() noexcept;
const topic_text& topic_fin_wait_2() noexcept;
const topic_text& topic_nat() noexcept;
const topic_text& topic_capacity() noexcept;
const topic_text& topic_recipe() noexcept;
const topic_text& topic_counting() noexcept;
const topic_text& topic_linger() noexcept;
const topic_text& topic_loaders() noexcept;
const topic_text& topic_endings() noexcept;
const topic_text& topic_unread() noexcept;
const topic_text& topic_late_data() noexcept;
const topic_text& topic_listener_queue() noexcept;
const topic_text& topic_peer_reset() noexcept;
const topic_text& topic_time_out() noexcept;
const topic_text& topic_refused() noexcept;

} // namespace check

#endif
