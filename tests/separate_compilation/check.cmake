# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dsources=<dir> -Dbuild=<dir> -Dlinker=<flag> -Dsentence=<text> -Dcompiler=… -Dflags=… -Dincludes=a|b -P check.cmake
#
# A program of two files links if both are compiled in the same mode, and is refused with <sentence> if they are not.

cmake_minimum_required(VERSION 3.25)

separate_arguments(command UNIX_COMMAND "${flags}")
string(REPLACE "|" ";" includes "${includes}")
list(TRANSFORM includes PREPEND "-I")
set(ENV{LC_ALL} C)
file(MAKE_DIRECTORY "${build}")

set(header_only)
set(compiled -DCLOSESIDE_SEPARATE_COMPILATION)
foreach(file IN ITEMS main other)
    foreach(mode IN ITEMS header_only compiled)
        execute_process(
            COMMAND
                "${compiler}" ${command} ${includes} ${${mode}} -c "${sources}/${file}.cpp" -o
                "${build}/${file}_${mode}.o" COMMAND_ERROR_IS_FATAL ANY
        )
    endforeach()
endforeach()

foreach(main IN ITEMS header_only compiled)
    foreach(other IN ITEMS header_only compiled)
        execute_process(
            COMMAND
                "${compiler}" ${command} ${linker} "${build}/main_${main}.o" "${build}/other_${other}.o" -o
                "${build}/${main}_${other}"
            RESULT_VARIABLE status
            OUTPUT_VARIABLE text
            ERROR_VARIABLE text
        )
        string(FIND "${text}" "${sentence}" at)
        if(main STREQUAL other AND NOT status EQUAL 0)
            message(SEND_ERROR "${main} with ${other} does not link:\n${text}")
        elseif(NOT main STREQUAL other AND status EQUAL 0)
            message(SEND_ERROR "${main} with ${other} links")
        elseif(NOT main STREQUAL other AND at EQUAL -1)
            message(SEND_ERROR "${main} with ${other} is refused without '${sentence}':\n${text}")
        endif()
    endforeach()
endforeach()
