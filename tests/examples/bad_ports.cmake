# SPDX-License-Identifier: BSL-1.0
# -Dprogram=, -Darguments=: a list with PORT in it. The program refuses what is no port, and names it.
foreach(port IN ITEMS 99999x 80x 65536 -1 http)
    string(REPLACE PORT "${port}" with_port "${arguments}")
    execute_process(
        COMMAND "${program}" ${with_port}
        RESULT_VARIABLE status
        OUTPUT_VARIABLE said
        ERROR_VARIABLE said
        TIMEOUT 10
    )
    if(status STREQUAL "0" OR NOT status MATCHES "^[0-9]+$" OR NOT said MATCHES "${port}")
        message(FATAL_ERROR "${program} ${with_port}: status ${status}: ${said}")
    endif()
endforeach()
