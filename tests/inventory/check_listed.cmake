# SPDX-License-Identifier: BSL-1.0
#
# cmake -Ddirectory=<dir> -Dpattern=<glob> -Dlisted=a|b -Dwhere=<text> -P check_listed.cmake
#
# Fails for a file below <dir> that matches <glob> but is not listed, and for one that is listed but not there.

cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" listed "${listed}")
file(GLOB_RECURSE present "${directory}/${pattern}")
if(NOT present)
    message(FATAL_ERROR "${directory} holds no ${pattern}")
endif()
set(unlisted ${present})
list(REMOVE_ITEM unlisted ${listed})
set(missing ${listed})
list(REMOVE_ITEM missing ${present})
foreach(file IN LISTS unlisted)
    message(SEND_ERROR "${file} is not listed in ${where}")
endforeach()
foreach(file IN LISTS missing)
    message(SEND_ERROR "${file} is listed in ${where} but does not exist")
endforeach()
