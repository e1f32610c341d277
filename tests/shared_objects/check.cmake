# SPDX-License-Identifier: BSL-1.0
#
# cmake -Ddirectory=<where to build> -Dcompiler=… -Dflags=… -Dincludes=a|b -P check.cmake
#
# Builds a shared library and programs that use it, all with hidden visibility, and runs the programs: one linked with the
# library, one that loads it twice as a plug-in, and one that does so and exports what it shares with plug-ins.

cmake_minimum_required(VERSION 3.25)

separate_arguments(compile UNIX_COMMAND "${flags}")
string(REPLACE "|" ";" includes "${includes}")
list(TRANSFORM includes PREPEND "-I")
list(PREPEND compile "${compiler}")
list(APPEND compile ${includes} -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -pthread)
set(source "${CMAKE_CURRENT_LIST_DIR}")
file(REMOVE_RECURSE "${directory}")
file(MAKE_DIRECTORY "${directory}")

function(run)
    execute_process(
        COMMAND ${ARGN} WORKING_DIRECTORY "${directory}" RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text
    )
    if(NOT status EQUAL 0)
        list(JOIN ARGN " " command)
        message(SEND_ERROR "${command} ends with ${status}:\n${text}")
    endif()
endfunction()

run(${compile} -shared -o liba.so "${source}/library.cpp")
run(${CMAKE_COMMAND} -E copy liba.so libb.so)
run(${compile} -c -o program.o "${source}/program.cpp")
# The program's references are weak, for which alone a linker may not record that the library is needed.
run(${compile} -o linked program.o -Wl,--no-as-needed ./liba.so)
run(${compile} -o plain program.o -ldl)
run(${compile} -rdynamic -o exporting program.o -ldl)
run(./linked one)
run(./plain two ./liba.so ./libb.so)
run(./exporting one ./liba.so ./libb.so)
