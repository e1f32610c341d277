# SPDX-License-Identifier: BSL-1.0
# Installs closeside-check and what comes with it as the component `tools`, and has CPack make a Debian package of that:
#   cmake --install <build directory> --component tools
#   DEBFULLNAME=<name> DEBEMAIL=<address> cpack --config <build directory>/CPackConfig.cmake
include(GNUInstallDirs)

set(tool "${closeside_SOURCE_DIR}/examples/tools/check")
set(data "${CMAKE_INSTALL_DATADIR}/closeside-check")
install(TARGETS closeside-check RUNTIME COMPONENT tools)
# install_tool_files(<directory> <file>...)
function(install_tool_files destination)
    install(FILES ${ARGN} DESTINATION "${destination}" COMPONENT tools)
endfunction()
install_tool_files("${CMAKE_INSTALL_MANDIR}/man1" "${tool}/man/closeside-check.1")
install(
    FILES "${tool}/completions/closeside-check.bash"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
    RENAME closeside-check
    COMPONENT tools
)
install_tool_files("${CMAKE_INSTALL_DATADIR}/zsh/site-functions" "${tool}/completions/_closeside-check")
install_tool_files(
    "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" "${tool}/completions/closeside-check.fish"
)
# systemd looks there on every distribution, whatever the name of the directory of libraries.
install_tool_files(lib/systemd/system "${tool}/systemd/closeside-check.service" "${tool}/systemd/closeside-check.timer")
install_tool_files("${data}/prometheus" "${tool}/prometheus/closeside.rules.yml")
install_tool_files("${data}/grafana" "${tool}/prometheus/closeside.json")
# Of the libraries in the program too.
install_tool_files("${CMAKE_INSTALL_DATADIR}/doc/closeside-check" "${closeside_SOURCE_DIR}/cmake/package/copyright")

if(NOT PROJECT_IS_TOP_LEVEL)
    return()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME closeside-check)
set(CPACK_PACKAGE_VERSION "${closeside_VERSION}")
set(CPACK_PROJECT_CONFIG_FILE "${closeside_SOURCE_DIR}/cmake/package/maintainer.cmake")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL tools)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PRE_BUILD_SCRIPTS "${closeside_SOURCE_DIR}/cmake/package/debian_files.cmake")
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME closeside-check)
set(CPACK_DEBIAN_TOOLS_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "prometheus-node-exporter")
set(CPACK_DEBIAN_TOOLS_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_TOOLS_PACKAGE_CONTROL_EXTRA
    "${closeside_SOURCE_DIR}/cmake/package/prerm;${closeside_SOURCE_DIR}/cmake/package/postrm"
)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "judge the TCP settings of a host by how programs close")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
    "closeside-check looks at the sysctls and the counters of a network
namespace, and says which of them lock users out, lose data or mean
something else than is commonly believed. It tells what the configuration
files will make of the host at the next boot, counts sockets by state,
suggests settings and explains each.
.
It needs no privilege and sets nothing. A timer, off until it is enabled,
writes metrics for the textfile collector of Prometheus's node_exporter."
)
include(CPack)
