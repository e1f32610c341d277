# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dobjects=<file>|<file> -Dnm=<program> -P check_shared.cmake
#
# The functions of closeside's that both objects define are one in the program: their names say nothing of an Asio.

cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" objects "${objects}")
foreach(object IN LISTS objects)
    execute_process(
        COMMAND "${nm}" --defined-only --format=posix --demangle "${object}"
        OUTPUT_VARIABLE table
        COMMAND_ERROR_IS_FATAL ANY
    )
    string(REPLACE ";" "," table "${table}") # a list's separator
    string(REGEX MATCHALL "[^\n]+" lines "${table}")
    list(FILTER lines INCLUDE REGEX " [WVu] ")
    list(TRANSFORM lines REPLACE " [WVu] [0-9a-f ]*$" "")
    list(FILTER lines INCLUDE REGEX "closeside::")
    list(LENGTH lines count)
    if(count LESS 50)
        message(FATAL_ERROR "${object} defines ${count} functions of closeside's: is it what was to be looked at?")
    endif()
    if(NOT DEFINED shared)
        set(shared "${lines}")
        continue()
    endif()
    set(common "")
    foreach(line IN LISTS lines)
        if(line IN_LIST shared)
            list(APPEND common "${line}")
        endif()
    endforeach()
endforeach()
list(LENGTH common count)
if(count EQUAL 0)
    message(FATAL_ERROR "the objects share nothing: is the comparison right?")
endif()
set(wrong "${common}")
list(FILTER wrong INCLUDE REGEX "asio")
if(wrong)
    list(JOIN wrong "\n  " wrong)
    message(FATAL_ERROR "these are one function for both Asios:\n  ${wrong}")
endif()
message(STATUS "${count} functions are shared")
