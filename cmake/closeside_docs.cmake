# SPDX-License-Identifier: BSL-1.0
# The target `docs`: reference and pages for a browser, in docs/ of the build directory. It is in no other target.
# A name of the interface without a docstring, and a docstring or a page that Doxygen stumbles over, are errors.
find_program(DOXYGEN_PROGRAM NAMES doxygen DOC "Doxygen, which makes the reference")
find_program(AWK_PROGRAM NAMES awk DOC "awk, which puts headers and pages into Doxygen's words")
if(NOT DOXYGEN_PROGRAM OR NOT AWK_PROGRAM)
    add_custom_target(
        docs
        COMMAND "${CMAKE_COMMAND}" -E echo "The reference is made by Doxygen 1.9.4 or newer and awk: install doxygen (Debian, Ubuntu), configure again, then build the target docs."
        COMMAND "${CMAKE_COMMAND}" -E false
        VERBATIM
    )
    return()
endif()

set(docs_output "${closeside_BINARY_DIR}/docs")
set(
    pages
    README.md
    examples/README.md
    examples/porting.md
    examples/guide.md
    cmake/README.md
    examples/tools/check/README.md
    examples/tools/lab/README.md
    include/closeside/README.md
    include/closeside/detail/README.md
    tests/README.md
    tests/benchmark/README.md
    tests/benchmark/RESULTS.md
    tests/kernels/README.md
    tests/kernels/RESULTS.md
    tests/matrix/README.md
    tests/matrix/RESULTS.md
    .github/SECURITY.md
)
file(
    GLOB sources
    RELATIVE "${closeside_SOURCE_DIR}"
    "${closeside_SOURCE_DIR}/examples/*.cpp" "${closeside_SOURCE_DIR}/examples/*.hpp"
    "${closeside_SOURCE_DIR}/examples/proxy/*.[ch]pp"
)
set(public_headers ${host_headers} ${asio_headers} include/closeside/beast.hpp)
list(FILTER public_headers EXCLUDE REGEX "/detail/")
set(present)
foreach(page IN LISTS pages)
    if(EXISTS "${closeside_SOURCE_DIR}/${page}")
        list(APPEND present "${page}")
    endif()
endforeach()
list(JOIN present ":" filter_pages)
set(filter_sources ${sources} ${public_headers})
list(JOIN filter_sources ":" filter_sources)
set(doxygen_input ${present} ${sources} ${public_headers} cmake/docs/namespaces.dox)
list(TRANSFORM doxygen_input REPLACE "(.+)" "\"${closeside_SOURCE_DIR}/\\1\"")
list(JOIN doxygen_input " " doxygen_input)
configure_file(cmake/docs/Doxyfile.in CMakeFiles/docs.doxyfile @ONLY)
set(
    make_docs
    "${CMAKE_COMMAND}" "-Ddoxygen=${DOXYGEN_PROGRAM}" "-Ddoxyfile=${closeside_BINARY_DIR}/CMakeFiles/docs.doxyfile"
    "-Doutput=${docs_output}" -P "${closeside_SOURCE_DIR}/cmake/docs/make.cmake"
)
add_custom_target(docs COMMAND ${make_docs} COMMENT "Making the reference" VERBATIM)
