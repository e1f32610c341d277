#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# endings.sh <closeside-lab>: its exit statuses if it does not get to run, and that nothing survives Ctrl-C.
set -u

lab=$1
failed=0
expect() { # expect <status> <text on standard error> <what> <command...>
    wanted=$1 text=$2 what=$3
    shift 3
    said=$("$@" 2>&1 >/dev/null)
    status=$?
    if [ "$status" -ne "$wanted" ] || ! printf '%s' "$said" | grep -q -- "$text"; then
        echo "$what: expected status $wanted and '$text', got $status and: $said"
        failed=1
    fi
}

expect 64 subcommand "no lab" "$lab"
expect 64 nonesuch "an unknown option" "$lab" nat --nonesuch
expect 64 nonesuch "no closeside-check there" "$lab" nat --check /nonesuch
expect 64 nonesuch "no directory there" "$lab" pictures /nonesuch

# A user namespace that may have no network namespace is like a machine that gives no right to one.
if unshare -Ur true 2>/dev/null; then
    expect 77 "SKIPPED: " "no right to namespaces" \
        unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" nat --quick' "$lab"
fi

marked() { grep -lzs "^CLOSESIDE_LAB_MARK=$$\$" /proc/[0-9]*/environ; }
CLOSESIDE_LAB_MARK=$$ timeout --foreground --signal=INT 1.5 "$lab" nat --quick >/dev/null 2>&1
status=$?
[ "$status" -eq 124 ] || [ "$status" -eq 77 ] || { echo "interrupted: status $status"; failed=1; }
# The kernel kills the children when their parent has died; namespaces end with the last process in them.
tries=0
while [ -n "$(marked)" ] && [ "$tries" -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
[ -z "$(marked)" ] || { echo "still running after Ctrl-C: $(marked)"; failed=1; }

exit "$failed"
