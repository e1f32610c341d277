// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_DIRECTORY_HPP
#define CLOSESIDE_CHECK_FOLLOW_DIRECTORY_HPP

#include <string>
#include <string_view>

namespace check::follow {

/// Where a tracefs is mounted in this mount namespace; empty if none is. Nothing is mounted for it.
std::string find_tracefs();

/// A tracing instance of this process alone: what it enables, and how large its buffers are, touches nobody else's.
/** Removed by the destructor. One that a killed process has left behind is removed by the next that makes one; the
 *  kernel refuses to remove an instance that somebody reads. */
class instance_directory {
public:
    /// Throws std::system_error.
    explicit instance_directory(const std::string& tracefs);
    ~instance_directory();
    instance_directory(const instance_directory&) = delete;
    instance_directory& operator=(const instance_directory&) = delete;

    const std::string& path() const { return path_; }

    /// Below the instance. Throws std::system_error.
    std::string read(const std::string& file) const;
    void write(const std::string& file, std::string_view text) const;
    /// Of a file that older kernels lack, or that they want in another form.
    bool try_write(const std::string& file, std::string_view text) const noexcept;

private:
    std::string path_;
};

} // namespace check::follow

#endif
