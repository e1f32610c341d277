// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_LOSS_SERVER_HPP
#define CLOSESIDE_LAB_LOSS_SERVER_HPP

#include "../support/observed.hpp"

#include "reply.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace lab::loss {

inline constexpr std::uint16_t server_port = 80;

/// How a server ends a connection once write() has taken its reply.
enum class ending : std::uint8_t {
    plain_close, ///< asio::ip::tcp::socket::close()
    destructor,  ///< the socket is destroyed
    one_read,    ///< shutdown(shutdown_send), one read_some of up to 64 KiB, close()
    system,      ///< policies::system, and so on
    abortive,
    graceful,
    peer_first,
    peer_first_or_reset
};

inline constexpr std::array endings{ending::plain_close, ending::destructor,         ending::one_read,
                                    ending::system,      ending::abortive,           ending::graceful,
                                    ending::peer_first,  ending::peer_first_or_reset};
/// Those that clients which read slowly are for.
inline constexpr std::array endings_for_slow{ending::plain_close, ending::graceful, ending::peer_first};

const char* to_string(ending e) noexcept;

/// One connection that the server closed, as it saw that.
struct close_outcome {
    request number = 0;
    std::chrono::microseconds took{}; ///< from the call until the descriptor was released
    bool kept = true;                 ///< no limit cut the close short, and nothing failed
};

/// What a server tells: the thread that serves writes, others read.
class close_record {
public:
    void add(const close_outcome& one) {
        const std::lock_guard lock(mutex_);
        all_.push_back(one);
    }
    std::vector<close_outcome> all() const {
        const std::lock_guard lock(mutex_);
        return all_;
    }

    std::atomic<std::size_t> open = 0; ///< connections that were accepted and are not closed yet

private:
    mutable std::mutex mutex_;
    std::vector<close_outcome> all_;
};

/// Answers requests on port 80 of a host, on a thread of its own, until it is destroyed. It never reads behind the request.
class server {
public:
    virtual ~server() = default;
    const close_record& closes() const noexcept { return record_; }

protected:
    close_record record_;
};

/// It listens when this returns.
std::unique_ptr<server> serve(const host& where, ending how);

} // namespace lab::loss

#endif
