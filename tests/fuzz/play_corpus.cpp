// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::vector<std::uint8_t> content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Plays the files of one target, each also cut short; false if there are none.
bool play(const fuzz::target& t, const fs::path& corpus) {
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(corpus / t.name(), none)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
        // Whoever ends the program, this line says over which file.
        std::printf("%s/%s\n", t.name(), file.filename().c_str());
        std::fflush(stdout);
        const std::vector<std::uint8_t> whole = content_of(file);
        t.play(whole);
        // A copy of its own, so that a sanitizer sees a read beyond its end.
        for (std::size_t cuts = 1; cuts != 8; ++cuts) {
            const auto size = static_cast<std::ptrdiff_t>(whole.size() * cuts / 8);
            t.play(std::vector<std::uint8_t>(whole.begin(), whole.begin() + size));
        }
    }
    return !files.empty();
}

} // namespace

/// `<directory of the corpus>`: plays all of it that is for the targets of this program.
int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s <directory of the corpus>\n", argv[0]);
        return 64;
    }
    int status = 0;
    for (const fuzz::target* t = fuzz::target::first(); t; t = t->next())
        if (!play(*t, argv[1])) {
            std::fprintf(stderr, "closeside-fuzz: the corpus has nothing for %s\n", t->name());
            status = 1;
        }
    return status;
}
