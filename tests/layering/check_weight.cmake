# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dheader=<file> -Dbaseline=<file> -Dmargin=<lines> -Dcompiler=… -Dflags=… -Dincludes=a|b -P check_weight.cmake
#
# Fails when <header> preprocesses to more than <margin> lines beyond <baseline>: lines are stable enough to compare
# where seconds are not.

cmake_minimum_required(VERSION 3.25)

separate_arguments(command UNIX_COMMAND "${flags}")
string(REPLACE "|" ";" includes "${includes}")
list(TRANSFORM includes PREPEND "-I")
list(PREPEND command "${compiler}")
list(APPEND command ${includes} -E -P -x c++)

function(preprocessed_lines file result)
    execute_process(COMMAND ${command} "${file}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${file} does not preprocess:\n${errors}")
    endif()
    string(LENGTH "${output}" with_newlines)
    string(REPLACE "\n" "" output "${output}")
    string(LENGTH "${output}" without_newlines)
    math(EXPR lines "${with_newlines} - ${without_newlines}")
    set(${result} "${lines}" PARENT_SCOPE)
endfunction()

preprocessed_lines("${header}" header_lines)
preprocessed_lines("${baseline}" baseline_lines)
math(EXPR allowed "${baseline_lines} + ${margin}")
message(STATUS "${header}: ${header_lines} lines, ${baseline}: ${baseline_lines}")
if(baseline_lines LESS 1000)
    message(FATAL_ERROR "${baseline}: only ${baseline_lines} lines, so it is not what it should be")
endif()
if(header_lines GREATER allowed)
    message(FATAL_ERROR "${header} preprocesses to ${header_lines} lines; ${allowed} are allowed")
endif()
