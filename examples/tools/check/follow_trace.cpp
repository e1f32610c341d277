// SPDX-License-Identifier: BSL-1.0
#include "follow_trace.hpp"

#include "follow_page.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace check::follow {

namespace {

using closeside::detail::owned_descriptor;

/// For all processors together; the kernel takes the memory at once.
constexpr std::size_t all_buffers_kb = 64 * 1024, least_kb = 256, most_kb = 4096;

std::string filter_of(event_kind kind, std::uint16_t port) {
    const std::string local = port == 0 ? "" : " && sport == " + std::to_string(port);
    switch (kind) {
    // How a connection begins is not wanted, and is half of what there would be to read: 1 ESTABLISHED, 2 SYN-SENT,
    // 3 and 12 SYN-RECEIVED, 10 LISTEN. That a listener closes explains what becomes of its queue.
    case event_kind::state:
        return "protocol == 6 && newstate != 1 && newstate != 2 && newstate != 3 && newstate != 10 && newstate != 12" +
               local;
    // Segments sent again matter where it has to be told whether a FIN was given up.
    case event_kind::sent_again: return "(state == 4 || state == 9 || state == 11)" + local;
    case event_kind::error_reported: return "protocol == 6" + local;
    case event_kind::reset_taken: return port == 0 ? "" : "sport == " + std::to_string(port);
    // The ports may be gone from the socket by then, and the addresses are no numbers to a filter.
    case event_kind::reset_sent:
    case event_kind::destroyed: break;
    }
    return "";
}

std::uint64_t number_after(const std::string& text, std::string_view key) {
    std::uint64_t value = 0;
    if (const std::size_t at = text.find(key); at != text.npos)
        std::from_chars(text.data() + at + key.size(), text.data() + text.size(), value);
    return value;
}

} // namespace

trace::trace(const std::string& tracefs, std::uint16_t port) : directory_(tracefs) {
    // Nanoseconds that every processor agrees on, and that can be turned into the time of day.
    directory_.write("trace_clock", "mono");
    const auto processors = static_cast<std::size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF)));
    directory_.try_write("buffer_size_kb", std::to_string(std::clamp(all_buffers_kb / processors, least_kb, most_kb)));
    const auto layout = parse_page_layout(directory_.read("../../events/header_page"));
    if (!layout) throw std::runtime_error("tracefs: events/header_page is not understood");
    layout_ = *layout;
    page_.resize(layout_.data.offset + layout_.data.size);
    for (const event_name& event : event_names) enable(event, port);
    open_pipes();
}

void trace::enable(const event_name& event, std::uint16_t port) {
    const std::string directory = "events/" + std::string(event.system) + "/" + std::string(event.name) + "/";
    std::optional<event_format> format;
    try {
        format = parse_event_format(directory_.read(directory + "format"));
    } catch (const std::exception&) {
        if (event.needed) throw;
        return;
    }
    const bool joins = event.kind != event_kind::destroyed || (format && format->has("sock_cookie"));
    if (!format || !joins) {
        if (!event.needed) return;
        throw std::runtime_error("this kernel's event " + std::string(event.name) +
                                 (format ? " has no sock_cookie, by which its network namespace could be told"
                                         : " has a format that is not understood"));
    }
    if (const std::string filter = filter_of(event.kind, port); !filter.empty())
        directory_.try_write(directory + "filter", filter);
    reader_.add(event.kind, *std::move(format));
    directory_.write(directory + "enable", "1");
}

void trace::open_pipes() {
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() + "/per_cpu")) {
        owned_descriptor pipe(::open((entry.path() / "trace_pipe_raw").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        if (!pipe) continue; // a processor that is not there
        pipes_.push_back(std::move(pipe));
        stats_.push_back("per_cpu/" + entry.path().filename().string() + "/stats");
    }
    if (pipes_.empty()) throw std::runtime_error("tracefs: no per_cpu/*/trace_pipe_raw can be opened");
}

void trace::read(std::vector<trace_event>& into) {
    for (const owned_descriptor& pipe : pipes_) {
        // A processor that writes faster than this reads keeps it here no longer than its buffer is large.
        for (std::size_t pages = 0; pages != 4 * most_kb; ++pages) {
            const ssize_t n = ::read(pipe.get(), page_.data(), page_.size());
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) break;
            const bool whole = visit_page(layout_, bytes(page_).first(static_cast<std::size_t>(n)),
                                          [&](std::uint64_t time, bytes record) {
                                              if (const auto event = reader_.read(time, record)) into.push_back(*event);
                                          });
            if (!whole) ++malformed_;
        }
    }
}

std::uint64_t trace::lost() const {
    std::uint64_t sum = malformed_;
    for (const std::string& file : stats_) {
        std::string text;
        try {
            text = directory_.read(file);
        } catch (const std::exception&) { // a processor that has been taken away
            continue;
        }
        // "overrun: " is a part of "commit overrun: ", which therefore is looked for first.
        const std::size_t at = text.find("\noverrun: ");
        if (at != text.npos) sum += number_after(text.substr(at), "overrun: ");
        sum += number_after(text, "commit overrun: ") + number_after(text, "dropped events: ");
    }
    return sum;
}

} // namespace check::follow
