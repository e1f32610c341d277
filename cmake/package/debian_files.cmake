# SPDX-License-Identifier: BSL-1.0
# Run by CPack over what is to be packaged: puts it into the form and the places that Debian asks for.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
    return()
endif()
set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/tools/usr")
if(NOT EXISTS "${root}/bin/closeside-check")
    message(FATAL_ERROR "${root} has no bin/closeside-check")
endif()

# Debian's zsh looks into /usr/share/zsh/vendor-completions, and not into site-functions there.
file(MAKE_DIRECTORY "${root}/share/zsh/vendor-completions")
file(RENAME "${root}/share/zsh/site-functions/_closeside-check" "${root}/share/zsh/vendor-completions/_closeside-check")
file(REMOVE_RECURSE "${root}/share/zsh/site-functions")

file(MAKE_DIRECTORY "${root}/share/lintian/overrides")
configure_file("${CMAKE_CURRENT_LIST_DIR}/lintian-overrides" "${root}/share/lintian/overrides/closeside-check" COPYONLY)

string(TIMESTAMP day "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(
    WRITE "${root}/share/doc/closeside-check/changelog"
    "closeside-check (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n"
    "  * closeside-check ${CPACK_PACKAGE_VERSION}.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${day}\n"
)
foreach(file IN ITEMS man/man1/closeside-check.1 doc/closeside-check/changelog)
    # Without the time, so that the same content is the same file.
    execute_process(COMMAND gzip -9n "${root}/share/${file}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
