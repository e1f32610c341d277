# SPDX-License-Identifier: BSL-1.0
#
# cmake -Dpkg_config=<program> -Dpath=<dir> -Dpackage=<name> -Dprogram=<file> -Doutput=<file> -Dcompiler=… -Dflags=…
#       -P check_pkg_config.cmake
#
# <program> compiles with what pkg-config says of <package>, and succeeds.

cmake_minimum_required(VERSION 3.25)

set(ENV{PKG_CONFIG_PATH} "${path}")
execute_process(
    COMMAND "${pkg_config}" --cflags --libs "${package}"
    OUTPUT_VARIABLE said
    OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY
)
separate_arguments(said UNIX_COMMAND "${said}")
separate_arguments(command UNIX_COMMAND "${flags}")
execute_process(COMMAND "${compiler}" ${command} "${program}" -o "${output}" ${said} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${output}" COMMAND_ERROR_IS_FATAL ANY)
