# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dproject=<dir> -Dbuild=<dir> -Doptions=a|b -Dexpected=<text> -P check_refusal.cmake
#
# Fails unless configuring <project> fails and says <expected>.

cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" options "${options}")
file(REMOVE_RECURSE "${build}")
execute_process(
    COMMAND "${CMAKE_COMMAND}" -S "${project}" -B "${build}" ${options}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output
)
if(status EQUAL 0)
    message(FATAL_ERROR "${project} configures with ${options}")
endif()
# CMake breaks its messages into lines.
string(REGEX REPLACE "[ \n]+" " " words "${output}")
string(FIND "${words}" "${expected}" at)
if(at EQUAL -1)
    message(FATAL_ERROR "CMake does not say '${expected}' but:\n${output}")
endif()
