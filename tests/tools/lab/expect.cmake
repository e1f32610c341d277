# SPDX-License-Identifier: BSL-1.0
# expect(<what> <condition>...): an error that names what was expected, unless the condition holds.
function(expect what)
    if(NOT (${ARGN}))
        message(SEND_ERROR "expected ${what}; not so: ${ARGN}")
    endif()
endfunction()
