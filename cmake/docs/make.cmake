# SPDX-License-Identifier: BSL-1.0
# cmake -Ddoxygen=<program> -Ddoxyfile=<file> -Doutput=<dir> -P make.cmake: the reference anew, without pages of before.
file(REMOVE_RECURSE "${output}")
file(MAKE_DIRECTORY "${output}")
execute_process(COMMAND "${doxygen}" "${doxyfile}" RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "Doxygen ended with ${status}; what it has found stands above")
endif()
message("The reference is ${output}/index.html")
