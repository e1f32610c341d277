#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# closeside-check on the running kernel, as an operator calls it: each command ends with a status that it may end with, and
# says something. That an audit has findings is no fault.
set -u

failed=0
# expect <highest status> <words in what it says> <arguments...>
expect() {
    highest=$1 words=$2
    shift 2
    status=0
    timeout 30 closeside-check "$@" >said 2>&1 </dev/null || status=$?
    if [ "$status" -le "$highest" ] && grep -q -- "$words" said; then
        printf 'ok: closeside-check %s: status %s\n' "$*" "$status"
    else
        printf 'FAILED: closeside-check %s: status %s, without "%s":\n' "$*" "$status" "$words"
        cat said
        failed=1
    fi
}

release=$(uname -r)
expect 2 "\"kernel\": *\"$release\"" --format json
expect 2 . --exposure nat --assume local --watch 1
expect 0 TIME-WAIT states
expect 0 '"exact"' states --format json
expect 2 sysctl config
expect 0 "Suggested by" suggest
expect 0 TIME-WAIT explain net.ipv4.tcp_rfc1337
expect 0 . follow --for 1
exit "$failed"
