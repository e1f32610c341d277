// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_EXPLORER_HPP
#define CLOSESIDE_TESTS_MODEL_EXPLORER_HPP

#include "composition.hpp"
#include "interned.hpp"
#include "refinement.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace model {

struct exploration {
    std::size_t states = 0;
    std::size_t transitions = 0;
    std::size_t ends = 0;
    std::array<std::uint64_t, exceptions> excused{};
    rfc9293::rows_met rows{};
    /// The first counterexample of each broken property, with the shortest way to it.
    std::map<property, std::string> broken{};
};

/// Visits every reachable state of a setting, breadth first.
template <class Machine>
class explorer {
public:
    /// More states than this mean that the model has come apart.
    static constexpr std::size_t most_states = 5'000'000;

    explicit explorer(const setting& s) : setting_(s), composition_(s) {}

    exploration run() {
        visit(composition_.first(), 0, {move::start});
        for (std::uint32_t at = 0; at < worlds_.size(); ++at) expand(at);
        found_.states = worlds_.size();
        found_.transitions = edges_.size();
        if (found_.broken.empty()) check_acyclic();
        found_.excused = composition_.excused();
        found_.rows = refinement_.met();
        return std::move(found_);
    }

private:
    struct origin {
        std::uint32_t parent;
        step by;
    };

    std::uint32_t visit(const world& w, std::uint32_t parent, step by) {
        const std::uint32_t id = worlds_.id(w);
        if (id == origins_.size()) origins_.push_back({parent, by});
        if (origins_.size() > most_states) throw std::length_error("model: too many states");
        return id;
    }

    void expand(std::uint32_t at) {
        const world here = worlds_[at];
        bool any = false;
        bool any_but_time = false;
        composition_.steps_from(here, [&](const world& next, step by, verdict v) {
            any = true;
            if (!composition_.is_time(by.what)) any_but_time = true;
            if (!v.broken) v = refinement_.judge(here, next, by);
            if (v.broken) return report(v, at, to_string(by) + "  =>  " + to_string(next));
            edges_.emplace_back(at, visit(next, at, by));
        });
        if (!any) {
            ++found_.ends;
            report(composition_.judge_end(here), at, "the end");
        } else if (!any_but_time && composition_.idle(here)) {
            report(broken(property::ends, "waits for a limit, though the peer would close"), at, "nothing moves");
        }
    }

    void report(const verdict& v, std::uint32_t at, const std::string& last) {
        if (!v.broken || found_.broken.count(*v.broken) != 0) return;
        std::vector<std::string> lines{last + "\n"};
        for (; at != 0; at = origins_[at].parent) lines.push_back(line(at));
        std::string text = std::string(setting_.policy_name) + " against a peer that " + setting_.peer.name + ": \"" +
                           property_names[static_cast<std::size_t>(*v.broken)] + "\" is broken: " + v.detail + "\n";
        for (auto i = lines.rbegin(); i != lines.rend(); ++i) text += "  " + *i;
        found_.broken.emplace(*v.broken, std::move(text));
    }

    std::string line(std::uint32_t at) const {
        const world& w = worlds_[at];
        return to_string(origins_[at].by) + "  =>  " + to_string(w) + ", next: " + name(composition_.next(w).what) +
               "\n";
    }

    /// A cycle would be a livelock: every step has to use something up. Kahn's topological sort.
    void check_acyclic() {
        std::vector<std::uint32_t> incoming(worlds_.size());
        std::vector<std::uint32_t> first(worlds_.size() + 1);
        for (const auto& [from, to] : edges_) ++incoming[to], ++first[from + 1];
        for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
        // Breadth first, so the edges stand in the order of the states that they leave.
        std::vector<std::uint32_t> ready{0};
        for (std::size_t i = 0; i < ready.size(); ++i)
            for (std::uint32_t e = first[ready[i]]; e < first[ready[i] + 1]; ++e)
                if (--incoming[edges_[e].second] == 0) ready.push_back(edges_[e].second);
        if (ready.size() == worlds_.size()) return;
        const auto cycle = std::find_if(incoming.begin(), incoming.end(), [](std::uint32_t n) { return n != 0; });
        report(broken(property::ends, "some steps lead back to where they began"),
               static_cast<std::uint32_t>(cycle - incoming.begin()), "…");
    }

    setting setting_;
    composition<Machine> composition_;
    refinement refinement_;
    interned<world> worlds_;
    std::vector<origin> origins_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> edges_;
    exploration found_;
};

} // namespace model

#endif
