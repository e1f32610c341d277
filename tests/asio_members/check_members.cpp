// SPDX-License-Identifier: BSL-1.0
//
// check_members <list> <test source> [<header of Asio> <class>]...
//
// Fails for a public member of one of these classes that is not in the list, and for one that the list calls "same"
// whose name the test source does not use. A line of the list: `name: same`, or `name: why it is another`.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using tokens = std::vector<std::string>;

std::string text_of(const std::string& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error(file + " cannot be read");
    return {std::istreambuf_iterator<char>(in), {}};
}

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Words and single characters, without comments and lines of the preprocessor.
tokens tokens_of(const std::string& text) {
    tokens found;
    for (std::size_t i = 0; i < text.size();) {
        const auto skip_to = [&](const std::string& end) {
            const std::size_t at = text.find(end, i);
            i = at == std::string::npos ? text.size() : at + end.size();
        };
        if (text.compare(i, 2, "//") == 0) {
            skip_to("\n");
        } else if (text[i] == '#') {
            do skip_to("\n");
            while (i >= 2 && i < text.size() && text[i - 2] == '\\');
        } else if (text.compare(i, 2, "/*") == 0) {
            skip_to("*/");
        } else if (in_word(text[i])) {
            const std::size_t begin = i;
            while (i < text.size() && in_word(text[i])) ++i;
            found.push_back(text.substr(begin, i - begin));
        } else {
            if (std::isspace(static_cast<unsigned char>(text[i])) == 0) found.emplace_back(1, text[i]);
            ++i;
        }
    }
    return found;
}

bool is_word(const std::string& token) {
    return std::all_of(token.begin(), token.end(), in_word) && std::isdigit(static_cast<unsigned char>(token[0])) == 0;
}

/// What stands in front of a declarator and looks like one.
bool is_macro(const std::string& token) {
    return token.starts_with("ASIO_") || token.starts_with("BOOST_ASIO_") || token == "__declspec";
}

/// Behind the bracket that closes the one at `i`.
std::size_t behind(const tokens& t, std::size_t i) {
    const std::string open = t[i], close = open == "(" ? ")" : open == "<" ? ">" : "}";
    int depth = 0;
    for (; i < t.size(); ++i) {
        if (t[i] == open) ++depth;
        if (t[i] == close && --depth == 0) return i + 1;
    }
    throw std::runtime_error("no " + close + " for " + open);
}

/// The names that one declaration of a class makes, of class `self`.
std::set<std::string> names_of(tokens d, const std::string& self) {
    while (!d.empty() && d[0] == "template") d.erase(d.begin(), d.begin() + static_cast<std::ptrdiff_t>(behind(d, 1)));
    if (d.empty() || d[0] == "friend") return {};
    if (d[0] == "typedef") return {d.back()};
    if (d[0] == "using") return {d[1]};
    if (d[0] == "struct" || d[0] == "class") return {d[1]};
    if (d[0] == "enum") {
        std::set<std::string> names{d[1]};
        bool next = false;
        for (const std::string& token : d) {
            if (next && is_word(token)) names.insert(token);
            next = token == "{" || token == ",";
        }
        return names;
    }
    if (d[0].ends_with("ASIO_STATIC_CONSTANT")) return {d[4]}; // (int, name = value)
    for (std::size_t i = 0; i < d.size(); ++i) {
        if (is_macro(d[i]) && i + 1 < d.size() && d[i + 1] == "(") {
            i = behind(d, i + 1) - 1;
        } else if (d[i] == "<") {
            i = behind(d, i) - 1;
        } else if (d[i] == "operator") {
            return {"operator" + d[i + 1]};
        } else if (d[i] == "~") {
            return {};
        } else if (d[i] == "(" || d[i] == "=") {
            return {d[i - 1] == self ? "(constructor)" : d[i - 1]};
        }
    }
    return is_word(d.back()) ? std::set<std::string>{d.back()} : std::set<std::string>{};
}

std::set<std::string> public_members(const std::string& header, const std::string& name) {
    const tokens t = tokens_of(text_of(header));
    std::size_t i = 0;
    const auto defines = [&] { // class name {, or class name : base {
        if (t[i] != "class" || t[i + 1] != name) return false;
        std::size_t j = i + 2;
        while (j < t.size() && t[j] != "{" && t[j] != ";") ++j;
        if (j == t.size() || t[j] == ";") return false;
        i = j;
        return true;
    };
    while (i + 2 < t.size() && !defines()) ++i;
    if (i + 2 >= t.size()) throw std::runtime_error(header + " defines no class " + name);

    std::set<std::string> names;
    const std::size_t end = behind(t, i) - 1;
    bool is_public = false;
    tokens declaration;
    for (++i; i < end; ++i) {
        const bool label =
            i + 1 < end && t[i + 1] == ":" && (t[i] == "public" || t[i] == "protected" || t[i] == "private");
        bool complete = false;
        if (label) {
            is_public = t[i++] == "public";
        } else if (t[i] == "{") {
            const std::size_t after = behind(t, i);
            const bool listed = !declaration.empty() && declaration[0] == "enum";
            if (listed)
                declaration.insert(declaration.end(), t.begin() + static_cast<std::ptrdiff_t>(i),
                                   t.begin() + static_cast<std::ptrdiff_t>(after));
            // A class or an enumeration ends with `;`, a function with its body.
            complete = !(after < end && t[after] == ";");
            i = after - 1;
        } else if (t[i] == ";") {
            complete = true;
        } else {
            declaration.push_back(t[i]);
        }
        if (!complete) continue;
        if (is_public) names.merge(names_of(declaration, name));
        declaration.clear();
    }
    return names;
}

std::map<std::string, std::string> read_list(const std::string& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error(file + " cannot be read");
    std::map<std::string, std::string> list;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        const std::size_t colon = line.find(": ");
        if (colon == std::string::npos) throw std::runtime_error(file + ": no `name: same` or reason: " + line);
        list[line.substr(0, colon)] = line.substr(colon + 2);
    }
    return list;
}

} // namespace

int main(int argc, char** argv) try {
    if (argc < 5 || argc % 2 == 0) throw std::runtime_error("check_members LIST SOURCE [HEADER CLASS]...");
    const auto list = read_list(argv[1]);
    const tokens words = tokens_of(text_of(argv[2]));
    const std::set<std::string> used(words.begin(), words.end());
    int wrong = 0, seen = 0, different = 0;
    for (const auto& [name, how] : list) {
        if (how != "same") {
            ++different;
        } else if (is_word(name) && !used.contains(name)) {
            std::cout << name << " is called the same, but " << argv[2] << " does not compare it\n";
            ++wrong;
        }
    }
    for (int i = 3; i + 1 < argc; i += 2) {
        const auto members = public_members(argv[i], argv[i + 1]);
        for (const std::string& name : members) {
            ++seen;
            if (list.contains(name)) continue;
            std::cout << argv[i + 1] << "::" << name << " is not in " << argv[1] << '\n';
            ++wrong;
        }
        if (members.empty()) throw std::runtime_error(std::string(argv[i]) + ": no public member found");
    }
    std::cout << seen << " public members, " << different << " of the list different\n";
    return wrong == 0 ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << "check_members: " << e.what() << '\n';
    return 2;
}
