// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_TOOLS_LAB_FOLLOWED_HPP
#define CLOSESIDE_TESTS_TOOLS_LAB_FOLLOWED_HPP

#include "wire_ending.hpp"

#include "observation/segment_capture.hpp"
#include "observation/sysctl.hpp"
#include "observation/wait.hpp"
#include "tools/check/following.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace tests {

/// What came of the hosts of a lab.
class verdict {
public:
    void add(const std::string& host, const std::string& wrong, const std::vector<nlohmann::json>& told) {
        const std::lock_guard lock(mutex_);
        if (!wrong.empty()) wrong_ += host + ":\n" + wrong;
        for (const nlohmann::json& e : told) ++causes_[e.at("cause").get<std::string>()];
    }
    std::string wrong() const { return wrong_; }
    /// How often each was told.
    const std::map<std::string, std::size_t>& causes() const { return causes_; }

private:
    std::mutex mutex_;
    std::string wrong_;
    std::map<std::string, std::size_t> causes_;
};

/// `closeside-check follow` in the calling thread's network namespace, beside a record of the segments; when it is
/// destroyed, both are compared.
class followed {
public:
    followed(std::string name, conditions of_host, verdict& into)
        : name_(std::move(name)), of_host_(of_host), into_(into) {
        if (!tool_.is_ready()) into_.add(name_, "not ready: " + tool_.err(), {});
    }
    followed(const followed&) = delete;
    followed& operator=(const followed&) = delete;
    ~followed() { into_.add(name_, compare(), tool_.endings()); }

private:
    std::string compare() try {
        using closeside::detail::tcp_state;
        std::string wrong;
        // An ending is told a moment after it has passed.
        observation::eventually(
            [&] {
                const auto left = table_.all(~observation::set_of(tcp_state::listen));
                wrong = against_wire(tool_.endings(), capture_.all(), left, of_host_);
                return wrong.empty();
            },
            std::chrono::seconds(4), std::chrono::milliseconds(100));
        if (tool_.stop() != 0) wrong += "another status\n";
        if (capture_.dropped() != 0) wrong += "the capture is not whole\n";
        return wrong + tool_.err();
    } catch (const std::exception& e) {
        return std::string("threw: ") + e.what() + '\n';
    }

    std::string name_;
    conditions of_host_;
    verdict& into_;
    observation::socket_table table_;
    observation::segment_capture capture_{observation::any_interface, observation::recorded::beginnings_and_ends};
    following tool_;
};

} // namespace tests

#endif
