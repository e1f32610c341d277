# SPDX-License-Identifier: BSL-1.0
#
# closeside_compile(<name> <file>): the library closeside-<name>-compiled holds what closeside::<name> has in headers. Static,
# or shared where BUILD_SHARED_LIBS says so; built if something links it, with the flags of the directory that it is made in.

function(closeside_compile name file)
    # One for the whole build, though every directory may find the package for itself.
    if(TARGET closeside-${name}-compiled)
        return()
    endif()
    add_library(closeside-${name}-compiled EXCLUDE_FROM_ALL "${file}")
    target_link_libraries(closeside-${name}-compiled PUBLIC closeside::${name})
    target_compile_definitions(closeside-${name}-compiled PUBLIC CLOSESIDE_SEPARATE_COMPILATION)
    # It may go into a shared library, or be one.
    set_target_properties(
        closeside-${name}-compiled
        PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET default VISIBILITY_INLINES_HIDDEN OFF
    )
endfunction()
