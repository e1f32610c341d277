# SPDX-License-Identifier: BSL-1.0
#
# cmake -Ddirectory=<dir> -Dheaders=<a|b> -Dworking=<a|b> -Dconfiguration=<flag|flag> -Dsentence=<text> -Dcompiler=…
#       -Dflags=… -Dincludes=a|b -P check_refusal.cmake
#
# Each of the <headers> in <directory>, compiled by itself with the flags of <configuration>, says <sentence> as its first
# error, or compiles; those of <working> compile, and closeside.hpp does not.

cmake_minimum_required(VERSION 3.25)

separate_arguments(command UNIX_COMMAND "${flags}")
string(REPLACE "|" ";" includes "${includes}")
list(TRANSFORM includes PREPEND "-I")
foreach(list IN ITEMS headers working configuration)
    string(REPLACE "|" ";" ${list} "${${list}}")
endforeach()
set(ENV{LC_ALL} C)

set(compiled)
foreach(header IN LISTS headers)
    execute_process(
        COMMAND
            "${compiler}" ${command} ${includes} ${configuration} -Wfatal-errors -fsyntax-only -x c++
            "${directory}/${header}"
        RESULT_VARIABLE status
        OUTPUT_VARIABLE text
        ERROR_VARIABLE text
    )
    string(FIND "${text}" "${sentence}" at)
    if(status EQUAL 0)
        list(APPEND compiled "${header}")
    elseif(at EQUAL -1)
        message(SEND_ERROR "${header}, compiled with ${configuration}, does not say '${sentence}' but:\n${text}")
    endif()
endforeach()
foreach(header IN LISTS working)
    if(NOT header IN_LIST compiled)
        message(SEND_ERROR "${header} is refused with ${configuration}")
    endif()
endforeach()
if("closeside.hpp" IN_LIST compiled)
    message(SEND_ERROR "closeside.hpp is not refused with ${configuration}")
endif()
