// SPDX-License-Identifier: BSL-1.0
#include "nginx.hpp"

#include "message.hpp"
#include "support/temporary_directory.hpp"

#include <cerrno>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

#include <unistd.h>

namespace benchmark_serve {

namespace {

const std::string program = NGINX; ///< empty: there is none

/// One process, no log, the reply from memory, everything written below the prefix: as little work as it can have.
/** `multi_accept on` makes it slower: it then has more connections under way at once. */
std::string configuration(std::uint16_t port, lingering_close mode) {
    std::string temporary_paths;
    for (const char* const module : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
        temporary_paths += std::string(module) + "_temp_path temporary;\n";
    const std::string lingering = mode == lingering_close::always ? "always" : "on";
    return "daemon off;\n"
           "master_process off;\n"
           "pid nginx.pid;\n"
           "error_log stderr emerg;\n"
           "events { use epoll; worker_connections 1024; }\n"
           "http {\n"
           "access_log off;\n"
           "keepalive_timeout 0;\n"
           "lingering_close " +
           lingering + ";\n" + temporary_paths + "server {\n" + "listen " + std::to_string(port) + " backlog=4096;\n" +
           "location / { default_type text/plain; return 200 \"" + body() + "\"; }\n}\n}\n";
}

} // namespace

std::optional<server> nginx(lingering_close mode) {
    if (program.empty()) {
        std::cerr << "SKIPPED: nginx is not installed\n";
        return std::nullopt;
    }
    const auto directory = std::make_shared<tests::temporary_directory>();
    return [directory, mode](std::uint16_t port) {
        const std::string prefix = directory->path(""),
                          file = directory->write("nginx.conf", configuration(port, mode));
        ::execl(program.c_str(), program.c_str(), "-p", prefix.c_str(), "-c", file.c_str(), nullptr);
        throw std::system_error(errno, std::generic_category(), program);
    };
}

} // namespace benchmark_serve
