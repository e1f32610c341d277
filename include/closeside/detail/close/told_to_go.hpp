// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_TOLD_TO_GO_HPP
#define CLOSESIDE_DETAIL_CLOSE_TOLD_TO_GO_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace closeside::detail {

/// The connections whose idle read an orderly stop has ended: their peers know of no end, so that our FIN has to come first.
/** By descriptor, since a stream has no room for it and its close may begin where nothing else of the stop is left. One
 *  bit each, of one block for the process, which is there from the first stop on. */
class __attribute__((visibility("default"))) told_to_go {
public:
    /// Without memory nothing is ever noted, and such a connection waits for the peer's FIN as the policy says.
    static void prepare() noexcept { [[maybe_unused]] static const bool made = make(); }

    static bool any() noexcept { return noted_.load(std::memory_order_relaxed) != 0; }

    static void note(int descriptor) noexcept {
        if (std::atomic<word>* const w = word_of(descriptor))
            if ((w->fetch_or(bit(descriptor), std::memory_order_relaxed) & bit(descriptor)) == 0)
                noted_.fetch_add(1, std::memory_order_relaxed);
    }

    /// The descriptor is another connection's from here on, or none's.
    static void forget(int descriptor) noexcept {
        if (any()) take(descriptor);
    }

    /// Was it noted? It is not any more.
    static bool take(int descriptor) noexcept {
        std::atomic<word>* const w = word_of(descriptor);
        if (w == nullptr || (w->load(std::memory_order_relaxed) & bit(descriptor)) == 0) return false;
        if ((w->fetch_and(~bit(descriptor), std::memory_order_relaxed) & bit(descriptor)) == 0) return false;
        noted_.fetch_sub(1, std::memory_order_relaxed);
        return true;
    }

private:
    using word = std::uint64_t;
    static constexpr std::size_t most = std::size_t{1} << 20;

    static constexpr word bit(int descriptor) noexcept { return word{1} << (static_cast<unsigned>(descriptor) % 64); }

    static std::atomic<word>* word_of(int descriptor) noexcept {
        std::atomic<word>* const words = words_.load(std::memory_order_acquire);
        return words != nullptr && descriptor >= 0 && static_cast<std::size_t>(descriptor) < most
                   ? &words[static_cast<std::size_t>(descriptor) / 64]
                   : nullptr;
    }

    static bool make() noexcept {
        auto* const block = new (std::nothrow) std::atomic<word>[most / 64](); // for good: connections may end at exit
        words_.store(block, std::memory_order_release);
        return block != nullptr;
    }

    inline static std::atomic<std::atomic<word>*> words_ = nullptr;
    inline static std::atomic<unsigned> noted_ = 0;
};

} // namespace closeside::detail

#endif
