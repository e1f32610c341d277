# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dreadme=<README.md> -Dsource=<file.cpp> -P check_snippet.cmake
#
# Fails unless the first ```cpp block of the README is the whole source, without its SPDX line.

cmake_minimum_required(VERSION 3.25)

file(READ "${readme}" text)
string(FIND "${text}" "```cpp\n" from)
if(from EQUAL -1)
    message(FATAL_ERROR "${readme} has no ```cpp block")
endif()
math(EXPR from "${from} + 7")
string(SUBSTRING "${text}" ${from} -1 text)
string(FIND "${text}" "```" to)
string(SUBSTRING "${text}" 0 ${to} shown)

file(READ "${source}" program)
string(REPLACE "// SPDX-License-Identifier: BSL-1.0\n" "" program "${program}")
if(NOT "${shown}" STREQUAL "${program}")
    message(FATAL_ERROR "The first ```cpp block of ${readme}:\n${shown}\nis not the program ${source}:\n${program}")
endif()
