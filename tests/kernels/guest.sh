#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The only program that the guest's kernel starts: makes the file systems, loads modules, runs programs.sh with what the
# kernel's command line says as programs=<short|full|older|none>, and sends what that says over the second serial port.

PATH=/programs:/usr/sbin:/usr/bin
HOME=/root
LANG=C
TERM=dumb
export PATH HOME LANG TERM

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for directory in /dev/shm /tmp /run; do
    mount -t tmpfs -o mode=1777 tmpfs "$directory"
done
mount -t tracefs tracefs /sys/kernel/tracing
ip link set lo up

# The kernel asks modprobe for most of what it finds missing; by these names it does not ask.
for module in virtio_rng veth tun tcp_diag nf_conntrack nf_tables nft_chain_nat; do
    modprobe "$module" 2>/dev/null
done

stty -F /dev/ttyS1 raw -echo
sh /kernels/programs.sh "$(sed -n 's/.*programs=\([a-z]*\).*/\1/p' /proc/cmdline)" >/dev/ttyS1
poweroff -f
