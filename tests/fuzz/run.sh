#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# usage: sh tests/fuzz/run.sh [seconds [target...]]
# Runs libFuzzer on each target, by default for a minute each, from the corpus and from what earlier runs have found
# (build/fuzz/found). Exit status 0: nothing is wrong; 1: something is, and lies in build/fuzz/broken.
set -eu
case ${1-} in
-h | --help) sed -n '3,5s/^# //p' "$0" && exit 0 ;;
'' | *[!0-9]*) [ $# -eq 0 ] || {
    printf '%s\n' "tests/fuzz/run.sh: '$1' is not a number of seconds; see --help" >&2
    exit 64
} ;;
esac
cd -- "$(dirname -- "$0")/../.."
seconds=${1-60}
[ "$#" -eq 0 ] || shift
programs=build/fuzz/tests/fuzz
found=build/fuzz/found
broken=build/fuzz/broken
mkdir -p "$found" "$broken"
export UBSAN_OPTIONS=print_stacktrace=1
# An older symbolizer does not read what clang 19 writes.
if symbolizer=$(command -v llvm-symbolizer-19); then export ASAN_SYMBOLIZER_PATH="$symbolizer"; fi

# run_one <program> <target>: libFuzzer's last words of what it has done, or where the input lies that ends it.
run_one() {
    mkdir -p "$found/$2"
    log=build/fuzz/$2.log
    if CLOSESIDE_FUZZ_TARGET=$2 "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
        -print_final_stats=1 -artifact_prefix="$broken/$2-" "$found/$2" "tests/fuzz/corpus/$2" >"$log" 2>&1 </dev/null; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
        printf '%-18s %10s inputs, %6s edges: nothing wrong\n' "$2" "$runs" "$cover"
        return 0
    fi
    printf '%-18s BROKEN\n' "$2"
    grep -E 'closeside-fuzz: broken|runtime error|ERROR: |^ +#[0-9]+ .*[.](hpp|ipp|cpp):|Test unit written' \
        "$log" | head -n 15
    printf '%s\n' "  again: CLOSESIDE_FUZZ_TARGET=$2 $1 <file>; the whole log is $log"
    return 1
}

status=0
for program in "$programs"/closeside-fuzz-*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    for target in $(CLOSESIDE_FUZZ_TARGET=list "$program"); do
        if [ "$#" -ne 0 ]; then
            case " $* " in *" $target "*) ;; *) continue ;; esac
        fi
        run_one "$program" "$target" || status=1
    done
done
exit "$status"
