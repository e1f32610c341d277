// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_ASIO_MEMBERS_PUBLIC_MEMBERS_HPP
#define CLOSESIDE_TESTS_ASIO_MEMBERS_PUBLIC_MEMBERS_HPP

#include <cctype>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>

// Reads which public members a class of Asio's has, from the header as it is installed.
namespace asio_members {

/// Without comments and preprocessor lines: all branches of an #if are there.
inline std::string code_of(const std::string& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot read " + file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::string code;
    for (std::size_t i = 0; i < text.size();) {
        const bool line_begins = i == 0 || text[i - 1] == '\n';
        if (text.compare(i, 2, "/*") == 0)
            i = text.find("*/", i) + 2;
        else if (text.compare(i, 2, "//") == 0)
            i = text.find('\n', i);
        else if (line_begins && text[i] == '#')
            while (i < text.size() && (text[i] != '\n' || text[i - 1] == '\\')) ++i;
        else
            code += text[i++];
    }
    return code;
}

/// The end of what `open` begins at `at`; for angles, without those in parentheses.
inline std::size_t end_of(const std::string& code, std::size_t at, char open, char close) {
    int depth = 0;
    for (; at < code.size(); ++at) {
        if (open == '<' && code[at] == '(') at = end_of(code, at, '(', ')') - 1;
        if (code[at] == open) ++depth;
        if (code[at] == close && --depth == 0) return at + 1;
    }
    throw std::runtime_error("unbalanced");
}

/// Takes out `begin`, where it is followed by `open`, up to the matching `close`.
inline void take_out(std::string& code, const std::regex& begin, char open, char close) {
    for (std::smatch m; std::regex_search(code, m, begin);) {
        const auto at = static_cast<std::size_t>(m.position());
        code.erase(at, end_of(code, at + m.str().size() - 1, open, close) - at);
    }
}

/// `name/number of parameters` of a declaration, without those that only constrain; `name` of a type; empty for a friend.
inline std::string key_of(std::string declaration) {
    if (std::regex_search(declaration, std::regex(R"(\bfriend\b)"))) return {};
    take_out(declaration, std::regex(R"(\btemplate\s*<)"), '<', '>');
    take_out(declaration, std::regex(R"(\b([A-Z][A-Z_]+|__declspec)\s*\()"), '(', ')');
    std::smatch m;
    if (std::regex_search(declaration, m, std::regex(R"(^\s*(?:struct|class)\s+(\w+))"))) return m[1];
    if (std::regex_search(declaration, m, std::regex(R"(^\s*typedef\s[^]*?(\w+)\s*$)"))) return m[1];
    if (!std::regex_search(declaration, m, std::regex(R"((operator\s*=|~?\w+)\s*\()")))
        throw std::runtime_error("not understood: " + declaration);
    const auto open = static_cast<std::size_t>(m.position() + m.length() - 1);
    const std::string parameters = declaration.substr(open + 1, end_of(declaration, open, '(', ')') - open - 2);
    int count = 0, depth = 0;
    std::string parameter;
    for (const char c : parameters + ",") {
        depth += c == '<' || c == '(' ? 1 : c == '>' || c == ')' ? -1 : 0;
        if (c != ',' || depth != 0) {
            parameter += c;
            continue;
        }
        const bool constrains = parameter.find("constraint") != std::string::npos;
        if (!constrains && std::regex_search(parameter, std::regex(R"(\w)"))) ++count;
        parameter.clear();
    }
    return std::regex_replace(m[1].str(), std::regex(R"(\s)"), "") + "/" + std::to_string(count);
}

/// Each public member of the class, and how often it is declared.
inline std::map<std::string, int> public_members(const std::string& file, const std::string& name) {
    const std::string code = code_of(file);
    std::smatch head;
    if (!std::regex_search(code, head, std::regex("class " + name + R"(\s*:[^;{]*\{)")))
        throw std::runtime_error("no class " + name + " in " + file);
    std::map<std::string, int> members;
    const std::regex label(R"(^\s*(public|private|protected)\s*:)");
    bool is_public = false;
    std::string declaration;
    for (auto at = static_cast<std::size_t>(head.position() + head.length());; ++at) {
        std::smatch m;
        const char c = code[at];
        const std::string with_colon = declaration + ':';
        if (c == ':' && code[at + 1] != ':' && std::regex_search(with_colon, m, label)) {
            is_public = m[1] == "public";
            declaration.clear();
        } else if (c == ';' || c == '{' || c == '}') {
            const bool says_something = std::regex_search(declaration, std::regex(R"(\w)"));
            if (is_public && says_something)
                if (const std::string key = key_of(declaration); !key.empty()) ++members[key];
            declaration.clear();
            if (c == '}') return members;
            if (c == '{') at = end_of(code, at, '{', '}') - 1;
        } else {
            declaration += c;
        }
    }
}

} // namespace asio_members

#endif
