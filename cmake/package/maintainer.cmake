# SPDX-License-Identifier: BSL-1.0
# Run by CPack at its start: who makes a package answers for it, and says who that is as Debian's own tools are told.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
    return()
endif()
if("$ENV{DEBEMAIL}" STREQUAL "" OR "$ENV{DEBFULLNAME}" STREQUAL "")
    message(FATAL_ERROR "A package names its maintainer: set DEBFULLNAME and DEBEMAIL")
endif()
set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
