// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAST_BYTES_HPP
#define CLOSESIDE_LAST_BYTES_HPP

#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace closeside {

namespace detail {

/// The last bytes of a connection on their way; close_manner::last_bytes says how many.
using last_bytes_memory = std::unique_ptr<std::byte[]>;

template <class Pointer>
inline constexpr bool points_to_bytes = false;
template <class T>
inline constexpr bool points_to_bytes<T*> = sizeof(T) == 1;
template <>
inline constexpr bool points_to_bytes<void*> = true;
template <>
inline constexpr bool points_to_bytes<const void*> = true;

/// asio::const_buffer and the like, and what is contiguous: std::string_view, std::span<std::byte>.
template <class T>
concept buffer_of_bytes = requires(const T& b) {
    { b.data() } -> std::convertible_to<const void*>;
    { b.size() } -> std::convertible_to<std::size_t>;
}
&&points_to_bytes<decltype(std::declval<const T&>().data())>;

/// Asio's ConstBufferSequence.
template <class T>
concept sequence_of_buffers = !buffer_of_bytes<T> && requires(const T& s) {
    { *s.begin() } -> buffer_of_bytes;
    { s.begin() != s.end() } -> std::convertible_to<bool>;
};

} // namespace detail

/// What a close is to send before its FIN: a 503, SMTP's 421, a WebSocket close frame, HTTP/2's GOAWAY.
/** A copy of the bytes, for async_close and close_and_wait of a stream. */
class last_bytes {
public:
    /// More is refused: the close completes with asio::error::message_size before anything happens.
    static constexpr std::size_t most = 16 * 1024;

    /// None.
    last_bytes() = default;

    /// @param buffer  A buffer or a constant buffer sequence of Asio's; it may go at once.
    /// @throws std::bad_alloc
    template <class Buffer>
    requires(detail::buffer_of_bytes<Buffer> ||
             detail::sequence_of_buffers<Buffer>) explicit last_bytes(const Buffer& buffer) {
        each(buffer, [this](const auto& b) { size_ += b.size(); });
        if (size_ == 0 || is_too_long()) return;
        memory_ = std::make_unique<std::byte[]>(size_);
        std::byte* to = memory_.get();
        each(buffer, [&to](const auto& b) {
            if (b.size() != 0) std::memcpy(to, b.data(), b.size());
            to += b.size();
        });
    }

    last_bytes(last_bytes&& other) noexcept : size_(std::exchange(other.size_, 0)), memory_(std::move(other.memory_)) {}
    last_bytes& operator=(last_bytes&& other) noexcept {
        size_ = std::exchange(other.size_, 0);
        memory_ = std::move(other.memory_);
        return *this;
    }

    /// How many there are; more than `most` are not held.
    std::size_t size() const noexcept { return size_; }
    /// There were more than `most`: the close then gives message_size.
    bool is_too_long() const noexcept { return size_ > most; }

    /// For the close; the object has none from here on.
    detail::last_bytes_memory release() noexcept {
        size_ = 0;
        return std::move(memory_);
    }

private:
    template <class Buffer, class Function>
    static void each(const Buffer& buffer, Function f) {
        if constexpr (detail::buffer_of_bytes<Buffer>)
            f(buffer);
        else
            for (auto b = buffer.begin(); b != buffer.end(); ++b) f(*b);
    }

    std::size_t size_ = 0;
    detail::last_bytes_memory memory_;
};

} // namespace closeside

#endif
