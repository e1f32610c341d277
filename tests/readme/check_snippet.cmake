# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dreadme=<README.md> -Dsource=<file.cpp> -P check_snippet.cmake
#
# Fails unless the first ```cpp block of the README equals the parts of the source between lines `// [snippet]` and
# `// [end snippet]`, put together in their order.

cmake_minimum_required(VERSION 3.25)

# The text between the first `begin` and the next `end`; `rest` is what follows.
function(cut text begin end part rest)
    set(${part} "" PARENT_SCOPE)
    set(${rest} "" PARENT_SCOPE)
    string(FIND "${text}" "${begin}" from)
    if(from EQUAL -1)
        return()
    endif()
    string(LENGTH "${begin}" length)
    math(EXPR from "${from} + ${length}")
    string(SUBSTRING "${text}" ${from} -1 text)
    string(FIND "${text}" "${end}" to)
    if(to EQUAL -1)
        message(FATAL_ERROR "'${begin}' without '${end}'")
    endif()
    string(SUBSTRING "${text}" 0 ${to} inner)
    string(LENGTH "${end}" length)
    math(EXPR to "${to} + ${length}")
    string(SUBSTRING "${text}" ${to} -1 text)
    set(${part} "${inner}" PARENT_SCOPE)
    set(${rest} "${text}" PARENT_SCOPE)
endfunction()

file(READ "${readme}" text)
cut("${text}" "```cpp\n" "```" shown text)
if("${shown}" STREQUAL "")
    message(FATAL_ERROR "${readme} has no ```cpp block")
endif()

file(READ "${source}" text)
set(snippet "")
while(NOT "${text}" STREQUAL "")
    cut("${text}" "// [snippet]\n" "// [end snippet]\n" part text)
    string(APPEND snippet "${part}")
endwhile()
if("${snippet}" STREQUAL "")
    message(FATAL_ERROR "${source} has no part between '// [snippet]' and '// [end snippet]'")
endif()

if(NOT "${shown}" STREQUAL "${snippet}")
    message(FATAL_ERROR "The first ```cpp block of ${readme}:\n${shown}\nis not the snippet of ${source}:\n${snippet}")
endif()
