#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Runs our own programs on Debian's own kernels in qemu; README.md tells how it works, usage() how it is called.

set -eu

usage() {
    cat <<'END'
usage: sh tests/kernels/run.sh [--short] [--part NAME] [--kvm] [--here] [--build DIR] [PACKAGE...]

  PACKAGE      Debian packages of kernels, as linux-image-6.1.0-56-cloud-amd64. Without: of each series that apt offers
               the newest; and the oldest, for what has changed within a series
  --short      one kernel, and the part that programs.list calls short; RESULTS.md is left as it is
  --part NAME  what runs on the packages that are named: short, full (the default) or older, as programs.list says
  --here       on the running kernel, without qemu; packages that are named run, too
  --kvm        by /dev/kvm, if a guest really starts with it; times are then those of a busy machine
  --build DIR  where the programs are, and what is unpacked and recorded (default: build/default)

Writes tests/kernels/RESULTS.md from all that is recorded in DIR/kernels, a kernel's last run each. Exit status: 0 every
program held, 1 one did not, 64 usage, 69 something needed is missing, 77 no kernel to be had.
END
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=$root/build/default
form=full
here=
kvm=
packages=
while [ "$#" -gt 0 ]; do
    case $1 in
    --short) form=short ;;
    --part)
        case ${2-} in short | full | older) form=$2 ;; *)
            printf '%s\n' "run.sh: --part needs short, full or older, not '${2-}'" >&2
            exit 64
            ;;
        esac
        shift
        ;;
    --here) here=yes ;;
    --kvm) kvm=yes ;;
    --build)
        if [ "$#" -lt 2 ] || [ ! -d "$2" ]; then
            printf '%s\n' "run.sh: --build needs a directory: cmake --preset default makes build/default" >&2
            exit 64
        fi
        build=$(CDPATH='' cd -- "$2" && pwd)
        shift
        ;;
    -h | --help) usage && exit 0 ;;
    linux-image-*) packages="$packages $1" ;;
    *)
        printf '%s\n' "run.sh: what is '$1'? A kernel's package begins with linux-image-; --help lists the options" >&2
        exit 64
        ;;
    esac
    shift
done

work=$build/kernels
mkdir -p "$work/recorded"
worst=0

say() { printf '%s\n' "-- $*"; }
fail() {
    status=$1
    shift
    printf '%s\n' "run.sh: $*" >&2
    exit "$status"
}

# Of the kernels that apt offers, oldest first.
offered() { apt-cache pkgnames linux-image- 2>/dev/null | grep -E '^linux-image-[0-9.]+[-+][^ ]*-cloud-amd64$' | sort -V; }

# "<package> <form>" a line: what is run where nothing is named.
usual_kernels() {
    for series in $(offered | sed -E 's/^linux-image-([0-9]+[.][0-9]+).*/\1/' | sort -Vu); do
        of_series=$(offered | grep -E "^linux-image-${series}[.]")
        oldest=$(printf '%s\n' "$of_series" | head -n 1)
        newest=$(printf '%s\n' "$of_series" | tail -n 1)
        if [ "$form" != full ]; then
            printf '%s %s\n' "$newest" "$form"
            [ "$form" != short ] || return 0
            continue
        fi
        [ "$oldest" = "$newest" ] || printf '%s older\n' "$oldest"
        printf '%s full\n' "$newest"
    done
}

# unpack <package>: kernel and modules in $work/<package>, nothing is installed.
unpack() {
    [ ! -e "$work/$1/unpacked" ] || return 0
    say "fetching $1"
    rm -rf "${work:?}/$1"
    mkdir -p "$work/$1"
    (
        cd "$work/$1"
        apt-get -q -o Acquire::Retries=3 -o Acquire::http::Timeout=30 download "$1" >log 2>&1
        dpkg-deb -x "$1"_*.deb .
        rm -f "$1"_*.deb
        modules=lib/modules/$(ls lib/modules)
        # What programs of ours need: networks, and what these are made of. No drivers of devices but for random numbers.
        mkdir -p "initramfs/usr/$modules/kernel/drivers/net" "initramfs/usr/$modules/kernel/drivers/char"
        for part in net lib crypto arch drivers/virtio drivers/char/hw_random; do
            [ ! -d "$modules/kernel/$part" ] || cp -r "$modules/kernel/$part" "initramfs/usr/$modules/kernel/$part"
        done
        cp "$modules"/kernel/drivers/net/*.ko* "initramfs/usr/$modules/kernel/drivers/net/"
        cp "$modules"/modules.* "initramfs/usr/$modules/"
        find initramfs -name '*.ko.xz' -exec xz -d {} +
        ln -s usr/lib initramfs/lib
        busybox depmod -b initramfs "${modules##*/}"
        rm initramfs/lib
        (cd initramfs && find . | cpio -o -H newc --quiet) >modules.cpio
        rm -rf initramfs lib
        touch unpacked
    ) || fail 69 "$1 could not be fetched and unpacked: $(tail -n 1 "$work/$1/log" 2>/dev/null)"
}

# with_libraries <file...>: copies each to where it is here, below the current directory, and the shared libraries it needs.
with_libraries() {
    for file in "$@"; do
        printf '%s\n' "$file"
        ldd "$file" 2>/dev/null | awk '$2 == "=>" && $3 ~ "^/" { print $3 } $1 ~ "^/" { print $1 }'
    done | sort -u | while read -r file; do
        mkdir -p ".$(dirname "$file")"
        rm -f ".$file"
        cp -L "$file" ".$file"
    done
}

# The guest's files, but for its kernel's modules: BusyBox, ip, nft and ss, our programs and what their tests read, all at
# the paths that they have here, which are compiled into the tests.
userland() {
    say "gathering the programs"
    rm -rf "$work/userland"
    mkdir -p "$work/userland"
    (
        cd "$work/userland"
        mkdir -p usr/bin usr/sbin usr/lib usr/lib64 etc root proc sys dev tmp run programs kernels
        for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$directory"; done
        cp "$(command -v busybox)" usr/bin/busybox
        for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "usr/bin/$applet"; done
        ln -s ../bin/busybox usr/sbin/modprobe
        for tool in ip nft ss; do
            path=$(PATH=/usr/sbin:/usr/bin:$PATH command -v "$tool") || fail 69 "there is no $tool: install iproute2 and nftables"
            with_libraries "$(readlink -f "$path")"
            ln -s "$(readlink -f "$path")" "programs/$tool"
        done
        for program in $programs; do
            with_libraries "$program"
            ln -s "$program" "programs/${program##*/}"
        done
        mkdir -p ".$root/examples/tools"
        cp -r "$root/examples/tools/check" ".$root/examples/tools/"
        printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >etc/passwd
        printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
        printf '127.0.0.1 localhost\n::1 localhost\n' >etc/hosts
        cp "$root/tests/kernels/guest.sh" init
        chmod +x init
        cp "$root/tests/kernels/programs.sh" "$root/tests/kernels/programs.list" "$root/tests/kernels/check.sh" kernels/
        find . | cpio -o -H newc --quiet
    ) >"$work/userland.cpio"
    rm -rf "$work/userland"
}

# boot <package> <programs=> <bound in seconds> <stream> <options of qemu...>
boot() {
    package=$1 chosen=$2 bound=$3 stream=$4
    shift 4
    : >"$stream"
    # Kernels take archives one behind the other.
    cat "$work/userland.cpio" "$work/$package/modules.cpio" >"$work/initramfs.cpio"
    timeout "$bound" nice -n 10 qemu-system-x86_64 "$@" -m 2048 -display none -nodefaults -no-user-config -no-reboot \
        -serial "file:$work/$package/console.log" -serial "file:$stream" -device virtio-rng-pci \
        -kernel "$(ls "$work/$package"/boot/vmlinuz-*)" -initrd "$work/initramfs.cpio" \
        -append "console=ttyS0 quiet panic=-1 programs=$chosen" >"$work/$package/qemu.log" 2>&1 </dev/null
}

# Instructions are counted: 1 ns of the guest's time each, and none for what the host does meanwhile. A guest that waits
# gets its timer at once.
emulated="-accel tcg -cpu max -icount shift=0,sleep=off"
choose_accelerator() {
    accelerator=$emulated
    how="qemu without KVM, -icount shift=0,sleep=off"
    [ -n "$kvm" ] || return 0
    if [ -w /dev/kvm ] && boot "$1" none 60 "$work/kvm.txt" -accel kvm -cpu host && grep -q '^@done' "$work/kvm.txt"; then
        accelerator="-accel kvm -cpu host"
        how="qemu with KVM"
    else
        say "no guest starts with /dev/kvm here: without KVM"
    fi
}

# record <stream> <how> <form> <package>: keeps it as this kernel's last run.
record() {
    release=$(sed -n 's/^@kernel \([^ ]*\) .*/\1/p' "$1")
    if [ -z "$release" ]; then
        printf '%s\n' "run.sh: $4 did not get as far as its first program; its console's last lines:" >&2
        tail -n 5 "$work/$4/console.log" "$work/$4/qemu.log" >&2
        worst=1
        return
    fi
    kept=$work/recorded/$release.$3.txt
    {
        printf '@how %s\n@date %s\n@package %s\n' "$2" "$(date -u +%Y-%m-%d)" "$4"
        cat "$1"
    } >"$kept"
    awk -v mode=table -f "$root/tests/kernels/judge.awk" "$kept" || worst=1
}

programs=$(find "$build/bin" "$build/tests" -type f -perm -u+x \( -name closeside-check -o -name closeside-lab \
    -o -name closeside-tests -o -name closeside-host-tests -o -name closeside-check-tests -o -name closeside-conformance \
    -o -name closeside-packet-tests \) 2>/dev/null)
for program in closeside-check closeside-lab closeside-tests closeside-host-tests closeside-check-tests closeside-conformance \
    closeside-packet-tests; do
    printf '%s\n' "$programs" | grep -q "/$program\$" ||
        fail 69 "there is no $program in $build: cmake --build $build --target $program"
done

if [ -n "$here" ]; then
    say "on the running kernel"
    directories=$(for program in $programs; do dirname "$program"; done | sort -u | tr '\n' ':')
    env PATH="$directories$PATH" sh "$root/tests/kernels/programs.sh" "$form" >"$work/here.txt" </dev/null
    record "$work/here.txt" "this machine, not alone on it" "$form" "$(uname -r)"
fi

if [ -z "$here" ] || [ -n "$packages" ]; then
    [ "$(uname -m)" = x86_64 ] || fail 77 "SKIPPED: these are kernels for x86_64"
    for tool in qemu-system-x86_64 busybox cpio xz apt-get dpkg-deb timeout; do
        command -v "$tool" >/dev/null ||
            fail 69 "there is no $tool: install qemu-system-x86 busybox-static cpio xz-utils iproute2 nftables (Debian)"
    done
    if [ -n "$packages" ]; then
        kernels=$(for package in $packages; do printf '%s %s\n' "$package" "$form"; done)
    else
        kernels=$(usual_kernels)
    fi
    [ -n "$kernels" ] || fail 77 "SKIPPED: apt offers no linux-image-...-cloud-amd64 here; Debian does"
    userland
    accelerator=
    # Not from a pipe: what fails is to be known at the end.
    while read -r package chosen <&4; do
        unpack "$package"
        [ -n "$accelerator" ] || choose_accelerator "$package"
        say "$package: $chosen, $how (console: $work/$package/console.log)"
        status=0
        # shellcheck disable=SC2086 # a list of words
        boot "$package" "$chosen" 5400 "$work/$package/stream.txt" $accelerator || status=$?
        [ "$status" -eq 0 ] || say "qemu ended with status $status"
        record "$work/$package/stream.txt" "$how" "$chosen" "$package"
    done 4<<END
$kernels
END
fi

if [ "$form" != short ]; then
    set --
    for kept in "$work"/recorded/*.full.txt "$work"/recorded/*.older.txt; do
        # What is recorded in full needs no part.
        if [ -e "$kept" ] && { [ "$kept" = "${kept%.older.txt}" ] || [ ! -e "${kept%.older.txt}.full.txt" ]; }; then
            set -- "$@" "$kept"
        fi
    done
    if [ "$#" -gt 0 ]; then
        awk -v mode=report -f "$root/tests/kernels/judge.awk" "$@" >"$work/RESULTS.md"
        mv "$work/RESULTS.md" "$root/tests/kernels/RESULTS.md"
        say "tests/kernels/RESULTS.md is written"
    fi
fi
exit "$worst"
