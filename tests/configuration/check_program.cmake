# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dprogram=<file> -Dconfiguration=<flag|flag> -Doutput=<file> -Dcompiler=… -Dflags=… -Dincludes=a|b
#       -P check_program.cmake
#
# <program> compiles with the flags of <configuration>, and succeeds.

cmake_minimum_required(VERSION 3.25)

separate_arguments(command UNIX_COMMAND "${flags}")
string(REPLACE "|" ";" includes "${includes}")
list(TRANSFORM includes PREPEND "-I")
string(REPLACE "|" ";" configuration "${configuration}")
execute_process(
    COMMAND "${compiler}" ${command} ${includes} ${configuration} -pthread -o "${output}" "${program}"
    RESULT_VARIABLE status
    OUTPUT_VARIABLE text
    ERROR_VARIABLE text
)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${program} does not compile with ${configuration}:\n${text}")
endif()
execute_process(COMMAND "${output}" RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${program}, compiled with ${configuration}, ends with ${status}")
endif()
