# SPDX-License-Identifier: BSL-1.0
# cmake -Dwhole_reply=<program> -P whole_reply.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(
    COMMAND "${whole_reply}"
    RESULT_VARIABLE status
    OUTPUT_VARIABLE out
    ERROR_VARIABLE err
    TIMEOUT 50
)
set(expected
    "closes in mid-write: a part, then: End of file\n"
    "awaits the write, then closes: whole, then: End of file\n"
    "gives up with abort(): a part, then: Connection reset by peer\n"
)
string(CONCAT expected ${expected})
if(NOT status EQUAL 0 OR NOT out STREQUAL expected)
    message(FATAL_ERROR "status ${status}, ${err}\n${out}\ninstead of\n${expected}")
endif()
