// SPDX-License-Identifier: BSL-1.0
#include "subject.hpp"

#include "clients.hpp"

#include "benchmark/support/measured_part.hpp"
#include "benchmark/support/sleep_hook.hpp"

#include <exception>
#include <iostream>
#include <stdexcept>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace benchmark_accept {

namespace {

// In connections. Our acceptor looks for one without waiting less and less often where they come one by one: in the end
// once in 256.
constexpr unsigned warm_up = 512;
constexpr unsigned measured = 256;

template <class Value = int>
Value option(int fd, int level, int name) {
    Value value{};
    socklen_t size = sizeof value;
    if (::getsockopt(fd, level, name, &value, &size) != 0)
        throw std::runtime_error("an accepted socket does not tell its options");
    return value;
}

void check_options(int fd, bool wanted) {
    const bool set = option(fd, SOL_SOCKET, SO_KEEPALIVE) != 0 && option(fd, IPPROTO_TCP, TCP_NODELAY) != 0 &&
                     option(fd, IPPROTO_TCP, TCP_LINGER2) == linger2_seconds;
    if (set != wanted || option<::linger>(fd, SOL_SOCKET, SO_LINGER).l_onoff != 0)
        throw std::runtime_error("the options of an accepted socket are not as they should be");
}

/// Round after round inside one run of the loop: the clients connect, the clients close.
class rounds {
public:
    rounds(subject& s, unsigned at_once) : subject_(s), clients_(s.listener()), at_once_(at_once) {}

    void run() {
        benchmark_support::before_sleep([this] { return idle(); });
        subject_.run();
        benchmark_support::before_sleep({});
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    enum class phase { connecting, closing, closed };

    bool idle() try {
        switch (phase_) {
        case phase::connecting:
            clients_.connect(at_once_);
            phase_ = phase::closing;
            return true;
        case phase::closing:
            if (subject_.accepted().size() != at_once_) throw std::runtime_error("not every connection was accepted");
            for (const int fd : subject_.accepted()) check_options(fd, subject_.sets_options());
            clients_.close(subject_.accepted());
            phase_ = phase::closed;
            return true;
        case phase::closed: break;
        }
        return next_round();
    } catch (...) {
        failure_ = std::current_exception();
        subject_.stop();
        return false;
    }

    bool next_round() {
        for (const int fd : subject_.accepted())
            if (::fcntl(fd, F_GETFD) >= 0)
                throw std::runtime_error("a connection is still open after its client's FIN");
        subject_.accepted().clear();
        phase_ = phase::connecting;
        ++round_;
        if (round_ * at_once_ == warm_up) {
            subject_.call_next(benchmark_support::resume_measuring);
            return true;
        }
        if (round_ * at_once_ != warm_up + measured) return idle();
        subject_.stop();
        return false;
    }

    subject& subject_;
    clients clients_;
    unsigned at_once_;
    phase phase_ = phase::connecting;
    unsigned round_ = 0;
    std::exception_ptr failure_;
};

} // namespace

int run_subject(int argc, char** argv, const std::map<std::string, subject_factory>& subjects) try {
    benchmark_support::end_after_a_minute();
    const auto chosen = subjects.find(argc == 3 ? argv[1] : "");
    if (chosen == subjects.end()) {
        std::cerr << "usage: " << argv[0] << " <subject> <connections at once>\nsubjects:";
        for (const auto& [name, factory] : subjects) std::cerr << " " << name;
        std::cerr << "\n";
        return 2;
    }
    const auto at_once = static_cast<unsigned>(std::stoul(argv[2]));
    if (at_once == 0 || warm_up % at_once != 0 || measured % at_once != 0) {
        std::cerr << argv[0] << ": connections at once: " << at_once << " does not divide " << measured << "\n";
        return 2;
    }
    const auto s = chosen->second();
    rounds(*s, at_once).run();
    std::cout << measured << "\n";
    return std::cout.flush() ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << "\n";
    return 1;
}

} // namespace benchmark_accept
