// SPDX-License-Identifier: BSL-1.0
#include "table.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

namespace lab::policy {

namespace {

using lines = std::array<std::string, 3>;

constexpr int label_width = 15;
constexpr int cell_width = 16;

enum class colour { none, good, bad, odd, dim, bold };

class painter {
public:
    explicit painter(bool on) : on_(on) {}

    std::string operator()(colour c, std::string_view text) const {
        if (!on_ || c == colour::none) return std::string(text);
        return std::string(code(c)) + std::string(text) + "\x1b[0m";
    }

private:
    static const char* code(colour c) {
        switch (c) {
        case colour::none: return "";
        case colour::good: return "\x1b[32m";
        case colour::bad: return "\x1b[1;31m";
        case colour::odd: return "\x1b[33m";
        case colour::dim: return "\x1b[2m";
        case colour::bold: return "\x1b[1m";
        }
        return "";
    }

    bool on_;
};

std::string padded(std::string text, int width) {
    const auto wanted = static_cast<std::size_t>(width);
    if (text.size() < wanted) text.resize(wanted, ' ');
    return text;
}

std::string_view trimmed(std::string_view text) { return text.substr(0, text.find_last_not_of(' ') + 1); }

std::string mebibytes(std::uint64_t bytes) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(2) << static_cast<double>(bytes) / (1 << 20) << 'M';
    return text.str();
}

std::string rounded_up_kibibytes(std::uint64_t bytes) { return std::to_string((bytes + 1023) / 1024) + 'K'; }

std::string time_taken(std::chrono::microseconds t) {
    using namespace std::chrono_literals;
    if (t < 1ms) return "<1 ms";
    if (t < 1s) return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(t).count()) + " ms";
    std::ostringstream text;
    text << std::fixed << std::setprecision(1) << std::chrono::duration<double>(t).count() << " s";
    return text.str();
}

struct mark {
    char symbol;
    colour shade;
};

mark mark_of(const judged_cell& c, const settings& lab) {
    if (!c.facts.failure.empty() || !c.disagreements.empty() || !c.broken.empty()) return {'X', colour::bad};
    const bool whole = c.facts.got.received == lab.reply_bytes;
    if (std::find(c.losses.begin(), c.losses.end(), loss::reply_truncated) != c.losses.end()) return {'X', colour::bad};
    if (!c.losses.empty()) return {'!', colour::odd};
    return whole ? mark{'+', colour::good} : mark{'-', colour::dim};
}

std::string wire_of(const evidence& e) {
    std::string text;
    for (const wire_event& event : e.wire) {
        const char* const flag = event.what == signal::fin ? "FIN" : event.what == signal::reset ? "RST" : "rst";
        if (!text.empty()) text += ' ';
        text += event.from_server ? std::string(flag) + '>' : std::string("<") + flag;
    }
    if (text.empty()) return e.server_settled == tcp_state::fin_wait1 ? "(FIN queued)" : "(nothing)";
    return text;
}

std::string who_waits(const evidence& e) {
    switch (e.time_wait()) {
    case holder::server: return "TW us";
    case holder::peer: return "TW peer";
    case holder::both: return "TW both";
    case holder::nobody: break;
    }
    switch (e.server_settled) {
    case tcp_state::unknown: return "no TW";
    case tcp_state::fin_wait1: return "FW1 us";
    case tcp_state::fin_wait2: return "FW2 us";
    default: return state_name(e.server_settled);
    }
}

std::string bytes_of(const judged_cell& c) {
    std::string text = mebibytes(c.facts.got.received);
    if (c.facts.said.report && c.facts.said.report->discarded != 0)
        text += " -" + rounded_up_kibibytes(c.facts.said.report->discarded);
    return text;
}

lines lines_of(const judged_cell& c, char symbol) {
    if (!c.facts.failure.empty()) return {std::string(1, symbol) + " not run", "", ""};
    return {std::string(1, symbol) + ' ' + bytes_of(c), "  " + wire_of(c.facts.kernel),
            "  " + who_waits(c.facts.kernel) + ' ' + time_taken(c.facts.said.close_time)};
}

lines label_of(server_kind s) {
    switch (s) {
    case server_kind::graceful: return {"graceful", "", ""};
    case server_kind::graceful_unread: return {"graceful", " input unread", ""};
    case server_kind::peer_first: return {"peer_first", "", ""};
    case server_kind::peer_first_or_reset: return {"peer_first", " or_reset", ""};
    case server_kind::abortive: return {"abortive", "", ""};
    case server_kind::abortive_destroyed: return {"abortive", " destroyed", ""};
    case server_kind::system: return {"system", "", ""};
    case server_kind::asio_close: return {"close()", "", ""};
    case server_kind::asio_unread: return {"destroyed", " input unread", ""};
    case server_kind::asio_linger_destroyed: return {"linger{1,0}", " destroyed", ""};
    case server_kind::asio_linger_close: return {"linger{1,1}", " close()", ""};
    }
    return {};
}

std::array<std::string, 2> heading_of(peer_kind p) {
    switch (p) {
    case peer_kind::closes_after_reply: return {"closes after", "the reply"};
    case peer_kind::closes_first: return {"closes first,", "reads on"};
    case peer_kind::keeps_sending: return {"keeps sending", "meanwhile"};
    case peer_kind::never_closes: return {"reads, but", "never closes"};
    case peer_kind::stops_reading: return {"stops reading", "halfway"};
    case peer_kind::resets: return {"resets", "halfway"};
    }
    return {};
}

void print_heading(std::ostream& out, const lab_result& result, const painter& paint) {
    const settings& lab = result.lab;
    out << "A server sends " << mebibytes(lab.reply_bytes) << " and closes; the peer ...\n"
        << paint(colour::dim, "Limits here: patience and drain_time " + std::to_string(lab.limit.count()) +
                                  " ms, drain_bytes " + std::to_string(lab.drain_bytes >> 20) + "M. FIN and RST from " +
                                  (result.witness == "packets" ? "the segments on lo" : "sampled states and errno") +
                                  ", states from " + to_string(lab.table) + ".")
        << "\n\n";
}

void print_grid(std::ostream& out, const lab_result& result, const painter& paint) {
    for (std::size_t line = 0; line < 2; ++line) {
        std::string heading = padded("", label_width);
        for (const peer_kind p : result.peers) heading += padded(heading_of(p)[line], cell_width);
        out << paint(colour::bold, trimmed(heading)) << '\n';
    }
    const std::string rule(static_cast<std::size_t>(table_width), '-');
    bool plain = false;
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
        const server_kind server = result.servers[row];
        if (row == 0 || (!plain && !is_closeside(server))) {
            plain = !is_closeside(server);
            const std::string title = plain ? "--- plain Asio, for comparison " : "--- closeside ";
            out << title << rule.substr(title.size()) << '\n';
        }
        lines label = label_of(server);
        std::array<std::string, 3> printed;
        for (std::size_t line = 0; line < 3; ++line)
            printed[line] = paint(colour::bold, padded(label[line], label_width));
        for (const judged_cell& c : result.rows[row]) {
            const mark m = mark_of(c, result.lab);
            const lines text = lines_of(c, m.symbol);
            for (std::size_t line = 0; line < 3; ++line)
                printed[line] +=
                    paint(line == 0 || m.shade == colour::bad ? m.shade : colour::none, padded(text[line], cell_width));
        }
        for (const std::string& line : printed) out << trimmed(line) << '\n';
        if (row + 1 < result.rows.size()) out << '\n';
    }
    out << rule << '\n';
}

void print_list(std::ostream& out, const lab_result& result, const painter& paint) {
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
        const lines label = label_of(result.servers[row]);
        out << paint(colour::bold, (is_closeside(result.servers[row]) ? "" : "plain Asio: ") + label[0] + label[1])
            << '\n';
        for (const judged_cell& c : result.rows[row]) {
            const mark m = mark_of(c, result.lab);
            const lines text = lines_of(c, m.symbol);
            out << "  " << padded(std::string(name(c.facts.peer)), 19)
                << paint(m.shade, padded(text[0], cell_width) + padded(text[1], cell_width) + text[2]) << '\n';
        }
    }
}

void print_legend(std::ostream& out, const painter& paint) {
    out << paint(colour::good, "+") << " whole reply   " << paint(colour::bad, "X")
        << " reply lost, or a promise broken   " << paint(colour::odd, "!")
        << " SO_LINGER undone, or the thread held   " << paint(colour::dim, "-") << " cut by choice\n"
        << "1.18M of the reply read by the peer   -455K input discarded   FIN> RST> by the server   <FIN <RST by the "
           "peer\n"
        << "rst> RST that answers late data   TW us/peer: who holds TIME-WAIT   FW1, FW2: our orphan in FIN-WAIT-1, "
           "-2\n";
}

/// Every promise once, for all the rows it governs: they follow each other.
void print_promises(std::ostream& out, const lab_result& result, const painter& paint) {
    const auto promise = [&](std::size_t row) { return std::string_view(promise_of(result.servers[row])); };
    for (std::size_t row = 0; row < result.rows.size();) {
        const std::size_t first = row;
        bool kept = true;
        for (; row < result.rows.size() && promise(row) == promise(first); ++row)
            for (const judged_cell& c : result.rows[row]) kept = kept && c.broken.empty() && c.facts.failure.empty();
        if (promise(first).empty()) continue;
        const lines label = label_of(result.servers[first]);
        out << paint(kept ? colour::good : colour::bad, kept ? "kept   " : "BROKEN ") << padded(label[0] + label[1], 23)
            << promise(first) << '\n';
    }
}

void print_findings(std::ostream& out, const lab_result& result, const painter& paint) {
    for (const auto& row : result.rows) {
        for (const judged_cell& c : row) {
            const std::string where =
                std::string(name(c.facts.server)) + " / " + std::string(name(c.facts.peer)) + ": ";
            const auto say = [&](std::string_view what, const std::string& text) {
                out << paint(colour::bad, "X " + std::string(what)) << "  " << where << text << '\n';
            };
            if (!c.facts.failure.empty()) say("not run", c.facts.failure);
            for (const std::string& text : c.disagreements) say("report and kernel differ", text);
            for (const std::string& text : c.broken) say("promise broken", text);
        }
    }
}

void print_known_losses(std::ostream& out, const lab_result& result, const painter& paint) {
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
        const char* what = nullptr;
        std::size_t seen = 0, known = 0;
        for (const judged_cell& c : result.rows[row]) {
            if (!c.known.what) continue;
            what = c.known.what;
            ++known;
            seen += c.known.reproduced ? 1 : 0;
        }
        if (known == 0) continue;
        const lines label = label_of(result.servers[row]);
        const bool all = seen == known;
        out << paint(all ? colour::none : colour::odd, all ? "loss   " : "loss?  ") << padded(label[0] + label[1], 23)
            << what << ": shown by " << seen << " of " << known << '\n';
    }
}

} // namespace

void print_table(std::ostream& out, const lab_result& result, table_style style) {
    const painter paint(style.colour);
    print_heading(out, result, paint);
    if (style.one_line_a_cell)
        print_list(out, result, paint);
    else
        print_grid(out, result, paint);
    print_legend(out, paint);
    out << '\n';
    print_promises(out, result, paint);
    print_known_losses(out, result, paint);
    print_findings(out, result, paint);
    if (!result.witness_note.empty()) out << paint(colour::odd, "! ") << result.witness_note << '\n';
    const std::string agreement = std::to_string(result.reports() - result.disagreeing()) + " of " +
                                  std::to_string(result.reports()) + " close_reports agree with the kernel; ";
    const std::string promises = result.broken() == 0
                                     ? "every policy kept its promise."
                                     : "promises broken in " + std::to_string(result.broken()) + " cells.";
    out << paint(result.good() ? colour::good : colour::bad, agreement + promises) << '\n';
}

} // namespace lab::policy
