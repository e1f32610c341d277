// SPDX-License-Identifier: BSL-1.0
#include "programs.hpp"

#include "message.hpp"

#include "observation/program.hpp"

#include <stdexcept>

namespace lab::tls {

namespace {

using observation::program_result;
using observation::run_program;

bool runs(const std::string& program, const std::string& argument) {
    try {
        return run_program({program, argument}).status == 0;
    } catch (const std::runtime_error&) {
        return false;
    }
}

bool says(const program_result& r, const char* text) { return r.err.find(text) != std::string::npos; }

/// `at_the_end`: what the program met if it ended without a complaint.
peer_view view_of(const program_result& r, end_seen at_the_end) {
    peer_view view{.received = r.out.size(), .end = at_the_end, .failure = {}};
    if (r.status == 0) return view;
    if (says(r, "unexpected eof"))
        view.end = end_seen::fin_alone;
    else if (says(r, "errno=104") || says(r, "errno=32") || says(r, "reset by peer") || says(r, "Broken pipe"))
        view.end = end_seen::reset;
    else
        view.failure = "status " + std::to_string(r.status) + ": " + r.err;
    return view;
}

} // namespace

bool is_installed(peer_kind p) {
    if (p == peer_kind::s_client) return runs("openssl", "version");
    if (p == peer_kind::curl) return runs("curl", "--version");
    return true;
}

// -quiet: nothing but the reply on its output, and the end of its input is not the end.
peer_view run_s_client(observation::endpoint server) {
    return view_of(run_program({"openssl", "s_client", "-quiet", "-connect", to_string(server)},
                               {.input = request, .environment = {}, .limit = bound, .meanwhile = {}}),
                   end_seen::close_notify);
}

peer_view run_curl(observation::endpoint server) {
    return view_of(run_program({"curl", "--insecure", "--silent", "--show-error", "--include", "--http1.1",
                                "https://" + to_string(server) + "/"},
                               {.input = {}, .environment = {}, .limit = bound, .meanwhile = {}}),
                   end_seen::not_looked_for);
}

} // namespace lab::tls
