// SPDX-License-Identifier: BSL-1.0
#include "follow_options.hpp"

#include "audit_options.hpp"
#include "note.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <exception>
#include <string>
#include <system_error>

#include <unistd.h>

namespace check::follow {

void add_follow_options(CLI::App& app, follow_options& given) {
    app.add_option_function<std::string>(
           "--port",
           [&given](const std::string& text) {
               given.port = static_cast<std::uint16_t>(whole_number("--port", text, 1, 65535));
           },
           "Only connections with this local port (1 to 65535)")
        ->type_name("N");
    app.add_option_function<std::string>(
           "--peer",
           [&given](const std::string& text) {
               given.peer = parse_address_block(text);
               if (!given.peer)
                   refuse("--peer", one_line(text), "is no address; give one, as 192.0.2.7 or 2001:db8::/32");
           },
           "Only connections with this peer: an address, or a block of them")
        ->type_name("ADDRESS[/BITS]");
    app.add_option_function<std::string>(
           "--for",
           [&given](const std::string& text) {
               given.time = std::chrono::seconds(whole_number("--for", text, 1, 31'536'000));
           },
           "Ends after so many seconds (default: at Ctrl-C or SIGTERM)")
        ->type_name("SECONDS");
}

std::unique_ptr<watch> open_watch(const follow_options& options) {
    try {
        auto opened = std::make_unique<watch>(options);
        if (const std::string& why = opened->blind_because(); !why.empty())
            say_note(why + ": only the ends of sockets are seen; who ended a connection, and why, stays unknown");
        else if (!opened->gives_reasons())
            say_note("this kernel does not say why it sends a RST (Linux 6.10 does): what is said of that follows from "
                     "the states alone");
        else if (::isatty(STDERR_FILENO))
            say_note("waits for connections to end (Ctrl-C: enough)");
        return opened;
    } catch (const std::system_error& e) {
        const bool no_right = e.code().value() == EPERM || e.code().value() == EACCES;
        give_up(no_right ? std::string("no right to see connections end: ") + e.what() +
                               "; run it as root, or with CAP_NET_ADMIN in this network namespace, where a sandbox may "
                               "not forbid "
                               "AF_NETLINK"
                         : std::string("cannot see connections end: ") + e.what());
    } catch (const std::exception& e) {
        give_up(std::string("cannot see connections end: ") + e.what());
    }
    return nullptr;
}

} // namespace check::follow
