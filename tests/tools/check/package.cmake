# SPDX-License-Identifier: BSL-1.0
# cmake -Dbuild=… -Dcpack=… -Dscratch=… -P package.cmake: makes the Debian package of a build, has lintian judge it, and
# installs, runs and purges it below a directory of its own.
foreach(program IN ITEMS dpkg dpkg-deb dpkg-shlibdeps lintian)
    find_program(${program} ${program})
    if(NOT ${program})
        message("SKIPPED: ${program} is not installed (Debian: dpkg-dev, lintian)")
        return()
    endif()
endforeach()

# run(<command>...): sets `output`.
function(run)
    execute_process(
        COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT 120
    )
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${ARGN} ended with ${status}: ${output}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${scratch}")
set(ENV{DEBFULLNAME} "Tests of closeside")
set(ENV{DEBEMAIL} "tests@example.org")
run("${cpack}" -G DEB --config "${build}/CPackConfig.cmake" -B "${scratch}")
file(GLOB package "${scratch}/*.deb")
list(LENGTH package packages)
if(NOT packages EQUAL 1)
    message(FATAL_ERROR "There is not one package: ${package}")
endif()

run("${lintian}" --allow-root --fail-on error,warning --tag-display-limit 0 "${package}")
if(NOT output STREQUAL "")
    message(FATAL_ERROR "lintian says: ${output}")
endif()

# A root with nothing in it, so that what is left behind is seen; maintainer scripts run outside of it, and keep to it.
set(root "${scratch}/root")
set(metrics "${root}/var/lib/prometheus/node-exporter")
file(MAKE_DIRECTORY "${root}/var/lib/dpkg/updates" "${root}/var/lib/dpkg/info" "${metrics}")
file(TOUCH "${root}/var/lib/dpkg/status" "${root}/var/lib/dpkg/available")
set(dpkg "${dpkg}" "--root=${root}" --force-script-chrootless --force-depends --force-not-root --log=/dev/null)
run(${dpkg} -i "${package}")
run("${root}/usr/bin/closeside-check" --version)
if(NOT output MATCHES "^closeside-check [0-9.]+\n$")
    message(FATAL_ERROR "The installed program says: ${output}")
endif()
foreach(
    file IN
    ITEMS lib/systemd/system/closeside-check.service
          lib/systemd/system/closeside-check.timer
          share/bash-completion/completions/closeside-check
          share/closeside-check/grafana/closeside.json
          share/closeside-check/prometheus/closeside.rules.yml
          share/doc/closeside-check/copyright
          share/fish/vendor_completions.d/closeside-check.fish
          share/man/man1/closeside-check.1.gz
          share/zsh/vendor-completions/_closeside-check
)
    if(NOT EXISTS "${root}/usr/${file}")
        message(FATAL_ERROR "The package has no /usr/${file}")
    endif()
endforeach()

# What its use leaves: metrics, and what `systemctl enable` makes.
run("${root}/usr/bin/closeside-check" --format prometheus --fail-on critical --ignore CS101 --output "${metrics}/closeside.prom")
set(wants "${root}/etc/systemd/system/timers.target.wants")
file(MAKE_DIRECTORY "${wants}")
file(CREATE_LINK /usr/lib/systemd/system/closeside-check.timer "${wants}/closeside-check.timer" SYMBOLIC)
run(${dpkg} --purge closeside-check)
file(GLOB_RECURSE left LIST_DIRECTORIES false "${root}/*")
list(FILTER left EXCLUDE REGEX "^${root}/var/lib/dpkg/")
if(NOT left STREQUAL "" OR EXISTS "${root}/usr")
    message(FATAL_ERROR "The package has left behind: ${left}")
endif()
file(REMOVE_RECURSE "${scratch}")
