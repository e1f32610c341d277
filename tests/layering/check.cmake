# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dheader=<file> -Dcompiler=… -Dflags=… -Dincludes=a|b -Dforbidden=<regex> [-Dexpected=<regex>] -P check.cmake
#
# Fails when the preprocessor opens a file whose path below its include directory matches <forbidden>; with <expected>,
# when it does not open one that matches it, which shows that the check sees what it looks for.

cmake_minimum_required(VERSION 3.25)

separate_arguments(command UNIX_COMMAND "${flags}")
string(REPLACE "|" ";" includes "${includes}")
list(TRANSFORM includes PREPEND "-I" OUTPUT_VARIABLE include_flags)
list(PREPEND command "${compiler}")
list(APPEND command ${include_flags} -M -x c++ "${header}")
execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${header} does not preprocess:\n${errors}")
endif()

string(REGEX REPLACE "^[^:]*:" "" output "${output}")
string(REGEX REPLACE "[ \\\n]+" ";" opened "${output}")
list(FILTER opened EXCLUDE REGEX "^$")
# The name of a directory above the headers must not decide.
foreach(directory IN LISTS includes)
    list(TRANSFORM opened REPLACE "^${directory}/" "./")
endforeach()

# Our own, whose folders may be called as theirs are; what they open is in the list as well.
list(LENGTH opened count)
list(FILTER opened EXCLUDE REGEX "/closeside/([a-z_]+/)*[a-z_]+[.][hi]pp$")
if(count EQUAL 0)
    message(FATAL_ERROR "${header}: the preprocessor reports no file, not even the header itself")
endif()
if(expected)
    list(FILTER opened INCLUDE REGEX "${expected}")
    if(NOT opened)
        message(FATAL_ERROR "${header}: nothing among ${count} files matches '${expected}'")
    endif()
    return()
endif()
list(FILTER opened INCLUDE REGEX "${forbidden}")
if(opened)
    list(JOIN opened "\n  " opened)
    message(FATAL_ERROR "${header} includes, itself or through another header:\n  ${opened}")
endif()
