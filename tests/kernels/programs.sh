#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# programs.sh <short|full|older>: runs what programs.list beside it names for that, one after the other, and writes to
# standard output what each said, one blank before each line, between lines that begin with @:
#   @kernel <release> <version>   @begin <name>   @end <name> <exit status> <seconds>   @done
# The programs are found by PATH, which is the caller's. In a guest this runs in BusyBox.
set -u

kernels=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
export kernels
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

printf '@kernel %s %s\n' "$(uname -r)" "$(uname -v)"
while IFS='|' read -r name when bound command; do
    # shellcheck disable=SC2086 # words, which the blanks around them are no part of
    set -- "$1" $name $bound
    case "$name: $when " in
    '#'* | ': '*) continue ;;
    *" $1 "*) ;;
    *) continue ;;
    esac
    mkdir "$scratch/empty"
    printf '@begin %s\n' "$2"
    began=$(date +%s)
    status=0
    (cd "$scratch/empty" && exec timeout -s KILL "$3" sh -c "$command") >"$scratch/said" 2>&1 </dev/null || status=$?
    seconds=$(($(date +%s) - began))
    sed 's/^/ /' "$scratch/said"
    # What does not end with a line break would hide the next line.
    printf '\n@end %s %s %s\n' "$2" "$status" "$seconds"
    rm -rf "$scratch/empty"
done <"$kernels/programs.list"
printf '@done\n'
