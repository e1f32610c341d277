# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dprograms=<a|b> -Dlibrary=<file> -Dobjdump=<file> -Dnm=<file> -Dtable=<file>
#       -P check_state.cmake
#
# Every variable of closeside's in the <programs>, which use all of it, is one that <library>, which was built with hidden
# visibility, shows to the dynamic linker. A variable that each shared object had for itself would be half of the truth.

cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND "${nm}" -D --defined-only "${library}" OUTPUT_VARIABLE shown COMMAND_ERROR_IS_FATAL ANY)

string(REPLACE "|" ";" programs "${programs}")
set(variables)
foreach(program IN LISTS programs)
    execute_process(COMMAND "${objdump}" -t "${program}" OUTPUT_FILE "${table}" COMMAND_ERROR_IS_FATAL ANY)
    # What is set while the program runs, not tables of constants, which lie in .data where they hold pointers. Guard
    # variables (_ZGV) go with what they guard.
    file(STRINGS "${table}" lines REGEX " O [.]t?bss\t.* _ZZ?N9closeside")
    list(TRANSFORM lines REPLACE "^.* (_Z[^ ]+)$" "\\1")
    list(APPEND variables ${lines})
endforeach()
list(REMOVE_DUPLICATES variables)
list(LENGTH variables count)
if(count EQUAL 0)
    message(FATAL_ERROR "no variable of closeside's in ${programs}, not even the error category")
endif()

foreach(variable IN LISTS variables)
    if(NOT shown MATCHES " ${variable}\n")
        message(
            SEND_ERROR
                "${variable} (c++filt tells its name) is hidden from other shared objects, or not used by "
                "tests/shared_objects/library.cpp: give it [[gnu::visibility(\"default\")]], and use it there"
        )
    endif()
endforeach()
