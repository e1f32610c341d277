// SPDX-License-Identifier: BSL-1.0
#include "subject.hpp"

#include "allocations.hpp"
#include "peers.hpp"

#include "benchmark/support/measured_part.hpp"
#include "benchmark/support/sleep_hook.hpp"

#include <exception>
#include <iostream>
#include <stdexcept>
#include <vector>

#include <fcntl.h>

namespace benchmark_close {

namespace {

/// What the peers do besides closing when they have read to the end of file.
enum class behaviour {
    answers, ///< nothing
    uploads, ///< send data that is there when the close begins
    leaves   ///< send their FIN before the close begins
};

struct scenario {
    unsigned at_once;
    unsigned warm_up_rounds; ///< so that recycled memory and what is set up on first use are there
    unsigned rounds;
    behaviour peers_do;
};

scenario parse(const std::string& how_many, const std::string& peers) {
    static const std::map<std::string, behaviour> behaviours{
        {"answers", behaviour::answers}, {"uploads", behaviour::uploads}, {"leaves", behaviour::leaves}};
    const auto found = behaviours.find(peers);
    if ((how_many != "alone" && how_many != "batch") || found == behaviours.end())
        throw std::invalid_argument("'" + how_many + " " + peers +
                                    "': say alone or batch, then answers, uploads or leaves");
    return how_many == "alone" ? scenario{1, 16, 16, found->second} : scenario{64, 2, 2, found->second};
}

/// Round after round inside one run of the loop, driven by its falling idle.
class rounds {
public:
    rounds(subject& s, peers& p, const scenario& how) : subject_(s), peers_(p), how_(how) {}

    /// Returns how many peers were reset in the measured rounds.
    unsigned run() {
        benchmark_support::before_sleep([this] { return idle(); });
        open();
        subject_.run();
        benchmark_support::before_sleep({});
        if (failure_) std::rethrow_exception(failure_);
        return resets_;
    }

private:
    enum class phase { opening, serving, closing, answered };

    bool measured() const { return round_ >= how_.warm_up_rounds; }

    bool idle() try {
        switch (phase_) {
        case phase::opening:
            if (peers_.send_request()) phase_ = phase::serving;
            return true;
        case phase::serving:
            subject_.call_next([this] { close(); });
            phase_ = phase::closing;
            return true;
        case phase::closing: answer(); return true;
        case phase::answered: break;
        }
        check_closed();
        if (const unsigned resets = peers_.end(); measured()) resets_ += resets;
        if (++round_ == how_.warm_up_rounds + how_.rounds)
            subject_.stop();
        else
            subject_.call_next([this] { open(); });
        return false;
    } catch (...) {
        // Not thrown from here: the caller may be a C library.
        failure_ = std::current_exception();
        subject_.stop();
        return false;
    }

    void open() {
        accepted_ = peers_.connect(how_.at_once);
        for (const int fd : accepted_) subject_.adopt(fd);
        phase_ = phase::opening;
    }

    void close() {
        if (how_.peers_do == behaviour::uploads) peers_.send_upload();
        if (how_.peers_do == behaviour::leaves) peers_.leave();
        if (measured()) benchmark_support::resume_measuring();
        subject_.close_all();
    }

    void answer() {
        peers_.answer();
        phase_ = phase::answered;
    }

    void check_closed() const {
        for (const int fd : accepted_)
            if (::fcntl(fd, F_GETFD) >= 0) throw std::runtime_error("a connection is still open after its peer's FIN");
    }

    subject& subject_;
    peers& peers_;
    scenario how_;
    std::vector<int> accepted_;
    phase phase_ = phase::opening;
    unsigned round_ = 0;
    unsigned resets_ = 0;
    std::exception_ptr failure_;
};

} // namespace

int run_subject(int argc, char** argv, const std::map<std::string, subject_factory>& subjects) try {
    peers on_tcp;
    return run_subject(argc, argv, subjects, on_tcp);
} catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << "\n";
    return 1;
}

int run_subject(int argc, char** argv, const std::map<std::string, subject_factory>& subjects, peers& others) try {
    benchmark_support::end_after_a_minute();
    const auto chosen = subjects.find(argc == 4 ? argv[1] : "");
    if (chosen == subjects.end()) {
        std::cerr << "usage: " << argv[0] << " <subject> alone|batch answers|uploads|leaves\nsubjects:";
        for (const auto& [name, factory] : subjects) std::cerr << " " << name;
        std::cerr << "\n";
        return 2;
    }
    const scenario how = parse(argv[2], argv[3]);
    const auto s = chosen->second();
    const unsigned resets = rounds(*s, others, how).run();
    const allocation_count allocated = allocations();
    std::cout << "closes " << how.at_once * how.rounds << "\nallocations " << allocated.calls << "\nbytes "
              << allocated.bytes << "\nresets " << resets << "\n";
    return std::cout.flush() ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << "\n";
    return 1;
}

} // namespace benchmark_close
