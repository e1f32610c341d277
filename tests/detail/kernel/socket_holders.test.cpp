// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/kernel/socket_holders.hpp>

#include "support/foreign_socket.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

using namespace closeside::detail;
using namespace tests;

TEST_CASE("The holders of a socket are this process and those that inherited it") {
    const foreign_socket socket({asio::ip::address_v4::loopback(), 0});
    const unsigned long inode = std::stoul(socket.inode());
    std::vector<socket_holder> holders = holders_of(inode);
    REQUIRE(holders.size() == 1);
    CHECK(holders[0].pid == ::getpid());
    CHECK(holders[0].is_self);
    CHECK(holders[0].same_program);
    CHECK_FALSE(holders[0].command.empty());

    const background_process copy = background_process::forked();
    const background_process program = background_process::sleeping();
    holders = holders_of(inode);
    REQUIRE(holders.size() == 3);
    for (const socket_holder& h : holders) {
        CHECK(h.is_self == (h.pid == ::getpid()));
        CHECK(h.same_program == (h.pid != program.pid()));
        if (h.pid == program.pid()) CHECK(h.command == "sleep");
    }
}

TEST_CASE("Nobody holds a socket that is closed") {
    foreign_socket socket({asio::ip::address_v4::loopback(), 0});
    const unsigned long inode = std::stoul(socket.inode());
    socket.close();
    CHECK(holders_of(inode).empty());
}

TEST_CASE("A program whose file has been replaced is still known by its path") {
    std::string directory = std::filesystem::temp_directory_path() / "closeside-XXXXXX";
    REQUIRE(::mkdtemp(directory.data()) != nullptr);
    const std::string program = directory + "/sleep";
    std::filesystem::copy_file("/bin/sleep", program);
    const background_process running = background_process::sleeping(program);
    const std::string process = "/proc/" + std::to_string(running.pid());
    CHECK(program_of(process) == program);
    std::filesystem::remove_all(directory);
    CHECK(program_of(process) == program);
    CHECK(program_of("/proc/none") == "");
}
