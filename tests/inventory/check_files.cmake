# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dtop=<repository> [-Dfiles=a|b] -P check_files.cmake
#
# Fails for a file of the repository (or for one of <files>, below <top>) that neither says its licence in its first line,
# behind a #! at most, nor is named by .reuse/dep5; and for a text that is not as .editorconfig says: a CR, a blank before the
# end of a line, a tab but in Go, or no line end at its end.

cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" files "${files}")
if(NOT files)
    find_program(git git)
    if(NOT git OR NOT EXISTS "${top}/.git")
        message("SKIPPED: this is no clone, or git is not installed")
        return()
    endif()
    execute_process(
        COMMAND "${git}" -C "${top}" ls-files
        OUTPUT_VARIABLE files OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY
    )
    string(REPLACE "\n" ";" files "${files}")
endif()

# The paths of .reuse/dep5 as one regular expression, where `*` is anything, slashes too.
file(READ "${top}/.reuse/dep5" named)
string(REGEX MATCH "\nFiles: ([^\n]+)\n" named "${named}")
string(REPLACE " " ";" named "${CMAKE_MATCH_1}")
set(expressions)
foreach(path IN LISTS named)
    string(REPLACE "." "[.]" path "${path}")
    string(REPLACE "*" ".*" path "${path}")
    list(APPEND expressions "${path}")
endforeach()
if(NOT expressions)
    message(FATAL_ERROR "${top}/.reuse/dep5 names no path")
endif()
list(JOIN expressions "|" expressions)
set(licence "SPDX-License-Identifier: BSL-1[.]0")

set(checked 0)
foreach(file IN LISTS files)
    set(path "${top}/${file}")
    if(NOT EXISTS "${path}" OR IS_SYMLINK "${path}") # removed, and not yet committed
        continue()
    endif()
    math(EXPR checked "${checked} + 1")
    if(NOT file MATCHES "^(${expressions})$")
        file(READ "${path}" head LIMIT 400)
        if(NOT head MATCHES "^(#[!c][^\n]*\n)?[^\n]*${licence}")
            message(SEND_ERROR "${file} has no line 'SPDX-License-Identifier: BSL-1.0' where it begins, and .reuse/dep5 does not name it")
        endif()
    endif()
    if(file MATCHES "^(tests/fuzz/corpus/|LICENSE$|cmake/package/copyright$)")
        continue()
    endif()
    file(READ "${path}" text)
    if(text MATCHES "[ \t\r]\n|\r")
        message(SEND_ERROR "${file} has a blank before the end of a line, or a carriage return")
    endif()
    if(text AND NOT text MATCHES "\n$")
        message(SEND_ERROR "${file} has no line end at its end")
    endif()
    if(text MATCHES "\t" AND NOT file MATCHES "[.]go$")
        message(SEND_ERROR "${file} has a tab")
    endif()
endforeach()
if(checked EQUAL 0)
    message(FATAL_ERROR "no file was looked at")
endif()
message("${checked} files")
