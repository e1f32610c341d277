// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_EXAMPLES_RUNNING_HTTPS_SERVER_HPP
#define CLOSESIDE_TESTS_EXAMPLES_RUNNING_HTTPS_SERVER_HPP

#include "examples/server_under_test.hpp"
#include "support/running_program.hpp"
#include "support/temporary_directory.hpp"
#include "support/tls.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <openssl/pem.h>

namespace tests {

/// The example https_server on a port of the kernel's choice, with a certificate made for it.
class running_https_server {
public:
    explicit running_https_server(const std::vector<std::string>& options = {})
        : program(command(files_, options)), at(endpoint_of(program)) {}

    std::string port() const { return std::to_string(at.port()); }
    std::string url(const std::string& path) const { return "https://127.0.0.1:" + port() + path; }

    struct ends {
        std::size_t connections = 0;
        std::size_t replies = 0;
        std::size_t successes = 0;
        std::size_t client_first = 0; ///< successes in which the client's FIN was the first
        std::size_t told = 0;         ///< the server closed after a reply, not for what came or did not come after it
        std::string wrong;            ///< lines of connections that ended in a way that no client can be content with
    };

    /// Reads the log until it tells of the end of connections with so many replies in all, or says nothing for 5 s.
    ends ends_of(std::size_t replies) {
        ends all;
        while (all.replies < replies) {
            const std::string line = program.line_with("closed:");
            if (line.empty()) break;
            const std::size_t count = line.find(" replies=");
            if (count == std::string::npos) throw std::runtime_error(line);
            const bool success = line.starts_with("closed: Success: ");
            const bool client_first = success && line.find(" first_fin=peer ") != std::string::npos;
            const bool told = line.find(" close_notify_sent=yes ") != std::string::npos;
            if ((!told && !client_first) || line.find(" limit=none ") == std::string::npos) all.wrong += line + '\n';
            ++all.connections;
            all.told += line.find(" (before: ") == std::string::npos ? 1 : 0;
            all.successes += success ? 1 : 0;
            all.client_first += client_first ? 1 : 0;
            all.replies += std::stoul(line.substr(count + 9));
        }
        return all;
    }

private:
    static std::vector<std::string> command(const temporary_directory& files, const std::vector<std::string>& options) {
        const certificate own;
        const std::string cert = files.path("cert.pem"), key = files.path("key.pem");
        const auto close = [](std::FILE* f) { std::fclose(f); };
        const std::unique_ptr<std::FILE, decltype(close)> cert_file(std::fopen(cert.c_str(), "w"), close),
            key_file(std::fopen(key.c_str(), "w"), close);
        if (!cert_file || !key_file || ::PEM_write_X509(cert_file.get(), own.x509.get()) == 0 ||
            ::PEM_write_PrivateKey(key_file.get(), own.key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 0)
            throw std::runtime_error("cannot write " + cert);
        std::vector<std::string> all{CLOSESIDE_HTTPS_SERVER, "--port", "0", "--certificate", cert, "--key", key};
        all.insert(all.end(), options.begin(), options.end());
        return all;
    }

    temporary_directory files_;

public:
    running_program program;
    tcp::endpoint at;
};

/// Says so where a client is not installed; CTest then reports the test as skipped.
inline bool is_missing(const std::string& program, const char* name) {
    if (program.empty()) MESSAGE("SKIPPED: ", name, " is not installed");
    return program.empty();
}

} // namespace tests

#endif
