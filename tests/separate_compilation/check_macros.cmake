# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dsources=<directory> -Dbuild=<directory> -Dcompiler=… -Dflags=… -Dincludes=a|b -P check_macros.cmake
#
# A program whose files see one Asio links; one that has ASIO_NO_DEPRECATED in one file alone is refused with a name that says
# why.

cmake_minimum_required(VERSION 3.25)

separate_arguments(arguments UNIX_COMMAND "${flags} -DCLOSESIDE_SEPARATE_COMPILATION")
string(REPLACE "|" ";" includes "${includes}")
foreach(directory IN LISTS includes)
    list(APPEND arguments "-I${directory}")
endforeach()
file(MAKE_DIRECTORY "${build}")
execute_process(
    COMMAND "${compiler}" ${arguments} -c "${sources}/stream.cpp" -o "${build}/stream.o" COMMAND_ERROR_IS_FATAL ANY
)
execute_process(
    COMMAND "${compiler}" ${arguments} -c "${sources}/sockets_src.cpp" -o "${build}/same.o"
    COMMAND_ERROR_IS_FATAL ANY
)
execute_process(
    COMMAND "${compiler}" ${arguments} -DASIO_NO_DEPRECATED -c "${sources}/sockets_src.cpp" -o "${build}/other.o"
    COMMAND_ERROR_IS_FATAL ANY
)
execute_process(
    COMMAND "${compiler}" ${arguments} -pthread "${build}/stream.o" "${build}/same.o" -o "${build}/program"
    COMMAND_ERROR_IS_FATAL ANY
)
execute_process(
    COMMAND "${compiler}" ${arguments} -pthread "${build}/stream.o" "${build}/other.o" -o "${build}/refused"
    RESULT_VARIABLE status ERROR_VARIABLE said OUTPUT_VARIABLE said
)
if(status EQUAL 0 OR NOT said MATCHES "closeside_src_hpp_is_missing_or_compiled_with_other_macros_of_Asio")
    message(FATAL_ERROR "a program with two Asios was not refused in words, but with status ${status}: ${said}")
endif()
