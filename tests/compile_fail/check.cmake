# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dsource=<file> -Dcompiler=… -Dflags=… -Dincludes=a|b -Drules=<a|b> -P check.cmake
# cmake -Dsources=<a|b>  -Drules=<a|b> -P check.cmake
#
# First form: <file> must compile as it stands, and with -DBAD must fail and print the sentence that it announces. A
# failure alone would prove nothing (a missing header fails too), nor would the sentence alone. `// rule: <part>` stands
# for the whole sentence of the one rule that contains <part>; `// error: <text>` for the text itself. The rules are those
# of the headers in <rules>.
# Second form: every rule is announced by at least one of the files.

cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" rule_files "${rules}")
set(text)
foreach(file IN LISTS rule_files)
    file(READ "${file}" text_of_file)
    string(APPEND text "${text_of_file}")
endforeach()
# A semicolon would split the sentence in a CMake list.
string(REPLACE ";" "<semicolon>" text "${text}")
string(REGEX REPLACE "[ ]*\\\\\n" "\n" text "${text}")
string(REGEX REPLACE "\"[ \n]+\"" "" text "${text}")
string(REGEX MATCHALL "\"[^\"\n]+\"\\)" sentences "${text}")
list(TRANSFORM sentences REPLACE "^\"(.*)\"\\)$" "\\1")
list(LENGTH sentences rule_count)
string(REGEX MATCHALL "\n    RULE\\(" rule_heads "${text}")
list(LENGTH rule_heads rule_head_count)
if(rule_count EQUAL 0 OR NOT rule_count EQUAL rule_head_count)
    message(FATAL_ERROR "${rules}: ${rule_head_count} rules, but ${rule_count} sentences understood")
endif()

# The rules whose sentence contains what `file` announces; empty where it announces a plain error.
function(announced_rules file result)
    file(STRINGS "${file}" line REGEX "^// rule: " LIMIT_COUNT 1)
    set(found)
    if(line)
        string(REGEX REPLACE "^// rule: " "" part "${line}")
        foreach(sentence IN LISTS sentences)
            string(FIND "${sentence}" "${part}" at)
            if(NOT at EQUAL -1)
                list(APPEND found "${sentence}")
            endif()
        endforeach()
        list(LENGTH found count)
        if(NOT count EQUAL 1)
            message(FATAL_ERROR "${file}: '${part}' is part of ${count} rules of ${rules}, not of one")
        endif()
    endif()
    set(${result} "${found}" PARENT_SCOPE)
endfunction()

if(sources)
    string(REPLACE "|" ";" sources "${sources}")
    set(shown)
    foreach(file IN LISTS sources)
        announced_rules("${file}" rule)
        list(APPEND shown ${rule})
    endforeach()
    foreach(sentence IN LISTS sentences)
        if(NOT sentence IN_LIST shown)
            message(SEND_ERROR "No compile_fail test for the rule: ${sentence}")
        endif()
    endforeach()
    return()
endif()

announced_rules("${source}" expected)
if(NOT expected)
    file(STRINGS "${source}" expected REGEX "^// error: " LIMIT_COUNT 1)
    string(REGEX REPLACE "^// error: " "" expected "${expected}")
endif()
string(REPLACE "<semicolon>" ";" expected "${expected}")
if(expected STREQUAL "")
    message(FATAL_ERROR "${source}: no line '// rule: ...' or '// error: ...'")
endif()

separate_arguments(command UNIX_COMMAND "${flags}")
string(REPLACE "|" ";" includes "${includes}")
list(TRANSFORM includes PREPEND "-I")
list(PREPEND command "${compiler}")
list(APPEND command ${includes} -fsyntax-only "${source}")
set(ENV{LC_ALL} C)

execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${source}: the corrected twin does not compile:\n${output}")
endif()

execute_process(COMMAND ${command} -DBAD RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
    message(FATAL_ERROR "${source}: compiles with -DBAD")
endif()
string(FIND "${output}" "${expected}" at)
if(at EQUAL -1)
    message(FATAL_ERROR "${source}: does not say '${expected}' but:\n${output}")
endif()
