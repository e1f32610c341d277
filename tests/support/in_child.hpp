// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_IN_CHILD_HPP
#define CLOSESIDE_TESTS_SUPPORT_IN_CHILD_HPP

#include "observation/memory_file.hpp"
#include "observation/own_network.hpp"
#include "observation/process.hpp"

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tests {

/// Runs `body` in a forked process and brings back the string it returns; "threw: …" if it throws.
/** A body that hangs does not hang the tests: after `limit` it is killed. */
template <class Body>
std::string in_child(Body body, std::chrono::seconds limit = std::chrono::seconds(20)) {
    const observation::descriptor said = observation::memory_file();
    observation::process child([&] {
        std::string text;
        try {
            text = body();
        } catch (const std::exception& e) {
            text = std::string("threw: ") + e.what();
        }
        for (std::size_t done = 0; done < text.size();) {
            const ssize_t n = ::write(said.get(), text.data() + done, text.size() - done);
            if (n <= 0) return 1;
            done += static_cast<std::size_t>(n);
        }
        return 0;
    });
    if (child.wait(limit) != 0) return "the child died";
    return observation::content_of(said);
}

/// The same without any capability, also in what the body executes: the modes of files bind root as they bind others.
/** The user stays, so that it can run programs wherever they were built, and namespaces without other users will do. */
template <class Body>
std::string in_unprivileged_child(Body body) {
    return in_child([&]() -> std::string {
        ::__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        const ::__user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::syscall(SYS_capset, &header, none) != 0)
            return "cannot drop the capabilities";
        return body();
    });
}

/// The same in a network namespace of its own; nothing if neither root nor user namespaces give the right to one.
template <class Body>
std::optional<std::string> in_own_network(Body body, std::chrono::seconds limit = std::chrono::seconds(20)) {
    const std::string refused = "no right to a network namespace";
    std::string text = in_child(
        [&]() -> std::string {
            return observation::leave_shared_network() == observation::network::shared ? refused : body();
        },
        limit);
    if (text == refused) return std::nullopt;
    return text;
}

} // namespace tests

#endif
