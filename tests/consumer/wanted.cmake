# SPDX-License-Identifier: BSL-1.0
# The program of a consumer that wants closeside::${target}.
if(target MATCHES "^host")
    add_executable(consumer "${CMAKE_CURRENT_LIST_DIR}/host_main.cpp")
else()
    add_executable(consumer "${CMAKE_CURRENT_LIST_DIR}/${program}")
endif()
target_link_libraries(consumer PRIVATE closeside::${target})
# One header-only, the other compiled, by what the target says of itself.
target_compile_definitions(consumer PRIVATE "WANTS_COMPILED=$<BOOL:$<FILTER:${target},INCLUDE,compiled$>>")
# As who does not use it: nothing else is looked for, or at least nothing is demanded.
if(target MATCHES "^host" AND (TARGET asio::asio OR TARGET Boost::headers))
    message(FATAL_ERROR "this test of closeside::${target} was to be one without any Asio")
endif()
