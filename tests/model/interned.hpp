// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_INTERNED_HPP
#define CLOSESIDE_TESTS_MODEL_INTERNED_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <type_traits>
#include <vector>

namespace model {

/// Numbers different values, from 0 in the order of their coming: an open-addressing hash table over their bytes.
template <class T>
class interned {
    static_assert(std::has_unique_object_representations_v<T>, "values are compared as bytes");

public:
    std::uint32_t id(const T& value) {
        if ((values_.size() + 1) * 2 > slots_.size()) grow();
        const std::uint32_t h = hash(value);
        std::size_t at = h & (slots_.size() - 1);
        while (slots_[at].id != empty) {
            const slot s = slots_[at];
            if (s.hash == h && std::memcmp(&values_[s.id], &value, sizeof value) == 0) return s.id;
            at = (at + 1) & (slots_.size() - 1);
        }
        slots_[at] = {h, static_cast<std::uint32_t>(values_.size())};
        values_.push_back(value);
        return slots_[at].id;
    }

    const T& operator[](std::size_t id) const { return values_[id]; }
    std::size_t size() const { return values_.size(); }

private:
    static constexpr std::uint32_t empty = 0xffff'ffff;

    struct slot {
        std::uint32_t hash = 0;
        std::uint32_t id = empty;
    };

    void grow() {
        std::vector<slot> old(slots_.empty() ? 1024 : slots_.size() * 2);
        old.swap(slots_);
        for (const slot& s : old) {
            if (s.id == empty) continue;
            std::size_t at = s.hash & (slots_.size() - 1);
            while (slots_[at].id != empty) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = s;
        }
    }

    /// FNV-1a by words, with shifts so that the low bits depend on all of them.
    static std::uint32_t hash(const T& value) {
        const auto* bytes = reinterpret_cast<const unsigned char*>(&value);
        std::uint64_t h = 14695981039346656037u;
        std::size_t left = sizeof value;
        while (left > 0) {
            const std::size_t n = left < 8 ? left : 8;
            std::uint64_t word = 0;
            std::memcpy(&word, bytes, n);
            h = (h ^ word) * 1099511628211u;
            h ^= h >> 29;
            bytes += n;
            left -= n;
        }
        return static_cast<std::uint32_t>(h ^ h >> 32);
    }

    std::deque<T> values_; // grows without a second copy
    std::vector<slot> slots_;
};

} // namespace model

#endif
