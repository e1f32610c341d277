# SPDX-License-Identifier: BSL-1.0
# cmake -Dlab=<program> -Dcheck=<closeside-check> -Dname=<lab> -P check.cmake
#
# Runs the quick form of a lab. What every lab promises is checked here; <lab>.cmake judges its numbers once more.
cmake_minimum_required(VERSION 3.25)

include("${CMAKE_CURRENT_LIST_DIR}/expect.cmake")

# get(<variable> <json> <path>...)
macro(get variable)
    string(JSON ${variable} GET ${ARGN})
endmacro()

set(picture "${CMAKE_CURRENT_BINARY_DIR}/lab-${name}.svg")
file(REMOVE "${picture}")
execute_process(
    COMMAND "${lab}" ${name} --quick --json --check "${check}" --svg "${picture}"
    RESULT_VARIABLE status
    OUTPUT_VARIABLE document
    ERROR_VARIABLE errors
    TIMEOUT 100
)
if(status EQUAL 77)
    message("${errors}")
    return()
endif()
expect("exit status 0 (${errors})" status EQUAL 0)

get(said_name "${document}" lab)
expect("the lab's name" said_name STREQUAL name)
get(quick "${document}" quick)
expect("the quick form" quick)
get(ok "${document}" ok)
string(JSON claims LENGTH "${document}" claims)
expect("claims" claims GREATER 0)
math(EXPR last "${claims} - 1")
foreach(index RANGE ${last})
    get(text "${document}" claims ${index} text)
    get(holds "${document}" claims ${index} holds)
    get(numbers "${document}" claims ${index} numbers)
    expect("'${text}' to hold (${numbers})" holds)
endforeach()
expect("ok, since every claim holds" ok)

expect("a picture" EXISTS "${picture}")
file(READ "${picture}" drawn)
string(LENGTH "${drawn}" size)
expect("a picture below 40 KB" size LESS 40000)
expect("a picture with a title, and one for a dark page, too" drawn MATCHES "<title.*prefers-color-scheme:dark")
file(REMOVE "${picture}")

include("${CMAKE_CURRENT_LIST_DIR}/${name}.cmake")
