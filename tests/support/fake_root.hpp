// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_FAKE_ROOT_HPP
#define CLOSESIDE_TESTS_SUPPORT_FAKE_ROOT_HPP

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tests {

/// A directory of its own that looks like the root of a host, for as long as the object lives.
class fake_root {
public:
    /// With an empty proc/sys/net/ipv4 in it.
    fake_root() : fake_root(nothing_in_it{}) { std::filesystem::create_directories(sysctls() / "net/ipv4"); }

    /// With nothing in it at all.
    static fake_root empty() { return fake_root(nothing_in_it{}); }

    fake_root(const fake_root&) = delete;
    fake_root& operator=(const fake_root&) = delete;

    ~fake_root() {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    std::string path() const { return root_.string(); }

    std::filesystem::path file(std::string_view key) const {
        std::string relative(key);
        std::replace(relative.begin(), relative.end(), '.', '/');
        return sysctls() / relative;
    }

    /// The content as the kernel prints it: the value and a line end.
    fake_root& set(std::string_view key, std::string_view value) { return set_raw(key, std::string(value) + "\n"); }

    fake_root& set_raw(std::string_view key, std::string_view content) {
        std::ofstream(make_way(key), std::ios::binary) << content;
        return *this;
    }

    /// A file anywhere below the root.
    fake_root& add(std::string_view relative, std::string_view content) {
        const auto target = root_ / relative;
        std::filesystem::create_directories(target.parent_path());
        std::ofstream(target, std::ios::binary) << content;
        return *this;
    }

    fake_root& set_fifo(std::string_view key) {
        require(::mkfifo(make_way(key).c_str(), 0644) == 0, "mkfifo");
        return *this;
    }

    fake_root& set_directory(std::string_view key) {
        std::filesystem::create_directory(make_way(key));
        return *this;
    }

    fake_root& set_link(std::string_view key, const std::filesystem::path& target) {
        std::filesystem::create_symlink(target, make_way(key));
        return *this;
    }

    fake_root& set_mode(std::string_view key, mode_t mode) {
        require(::chmod(file(key).c_str(), mode) == 0, "chmod");
        return *this;
    }

    fake_root& kernel(std::string_view release) { return set("kernel.osrelease", release); }

    /// The network namespace of the reader and that of process 1.
    fake_root& namespaces(std::string_view own, std::string_view first) {
        for (const auto& [process, link] : {std::pair{"thread-self", own}, std::pair{"1", first}}) {
            std::filesystem::create_directories(root_ / "proc" / process / "ns");
            std::filesystem::create_symlink(link, root_ / "proc" / process / "ns/net");
        }
        return *this;
    }

    /// Every key of a recent kernel at its default, as in the initial network namespace.
    fake_root& defaults() {
        kernel("6.18.0");
        for (const auto& [key, value] : {std::pair{"net.ipv4.tcp_tw_reuse", "2"},
                                         {"net.ipv4.tcp_tw_reuse_delay", "1000"},
                                         {"net.ipv4.tcp_timestamps", "1"},
                                         {"net.ipv4.tcp_fin_timeout", "60"},
                                         {"net.ipv4.tcp_max_tw_buckets", "131072"},
                                         {"net.ipv4.tcp_rfc1337", "0"},
                                         {"net.ipv4.tcp_syncookies", "1"},
                                         {"net.ipv4.tcp_max_orphans", "131072"},
                                         {"net.ipv4.tcp_orphan_retries", "0"},
                                         {"net.ipv4.tcp_abort_on_overflow", "0"},
                                         {"net.ipv4.tcp_max_syn_backlog", "2048"},
                                         {"net.core.somaxconn", "4096"},
                                         {"net.ipv4.ip_local_port_range", "32768\t60999"},
                                         {"net.ipv4.ip_local_reserved_ports", ""},
                                         {"net.ipv4.tcp_ehash_entries", "262144"}})
            set(key, value);
        return *this;
    }

    /// The same for nf_conntrack, loaded and tracking.
    fake_root& conntrack_defaults() {
        for (const auto& [key, value] : {std::pair{"max", "262144"},
                                         {"count", "100"},
                                         {"buckets", "262144"},
                                         {"tcp_timeout_established", "432000"},
                                         {"tcp_timeout_fin_wait", "120"},
                                         {"tcp_timeout_close_wait", "60"},
                                         {"tcp_timeout_last_ack", "30"},
                                         {"tcp_timeout_time_wait", "120"},
                                         {"tcp_timeout_close", "10"},
                                         {"tcp_be_liberal", "0"},
                                         {"tcp_loose", "1"}})
            set(std::string("net.netfilter.nf_conntrack_") + key, value);
        return *this;
    }

    fake_root& remove(std::string_view key) {
        std::filesystem::remove(file(key));
        return *this;
    }

private:
    struct nothing_in_it {};

    explicit fake_root(nothing_in_it) {
        std::string name = (std::filesystem::temp_directory_path() / "closeside-root-XXXXXX").string();
        require(::mkdtemp(name.data()) != nullptr, "mkdtemp");
        root_ = name;
        // Others may look as well: some tests read as another user.
        require(::chmod(name.c_str(), 0755) == 0, "chmod");
    }

    static void require(bool ok, const char* call) {
        if (!ok) throw std::system_error(errno, std::generic_category(), call);
    }

    std::filesystem::path sysctls() const { return root_ / "proc/sys"; }

    std::filesystem::path make_way(std::string_view key) const {
        const auto target = file(key);
        std::filesystem::create_directories(target.parent_path());
        std::filesystem::remove(target);
        return target;
    }

    std::filesystem::path root_;
};

} // namespace tests

#endif
