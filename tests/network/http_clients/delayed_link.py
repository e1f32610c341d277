# SPDX-License-Identifier: BSL-1.0
# Two network namespaces with a link between them that takes its time in each direction. Needs root.
import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import time

SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
libc = ctypes.CDLL(None, use_errno=True)


def unshare_network():
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: a new network namespace needs root")


def open_tunnel(own, other):
    """This namespace's end of the link."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"delayed", IFF_TUN | IFF_NO_PI))
    for command in (f"addr add {own} peer {other} dev delayed", "link set dev delayed mtu 65000 up", "link set lo up"):
        subprocess.run(["ip", *command.split()], check=True)
    return fd


def carry(ends, delay):
    """Every packet, so many seconds after it was sent, for as long as its parent lives."""
    waiting, number, parent = [], 0, os.getppid()
    while os.getppid() == parent:
        timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 0.5
        readable, _, _ = select.select(ends, [], [], min(timeout, 0.5))
        now = time.monotonic()
        for fd in readable:
            try:
                while True:
                    packet = os.read(fd, 65536)
                    heapq.heappush(waiting, (now + delay, number, ends[1 - ends.index(fd)], packet))
                    number += 1
            except BlockingIOError:
                pass
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, to, packet = heapq.heappop(waiting)
            try:
                os.write(to, packet)
            except OSError:
                pass  # a queue is full: lost, as on any link
    os._exit(0)


class Link:
    """The calling process is moved into the server's namespace; `client` prefixes a command for the client's."""

    def __init__(self, delay):
        ready, client_ready = os.pipe(), os.pipe()
        self.process = os.fork()
        if self.process == 0:
            # The client's namespace is this process's, which also carries the packets.
            unshare_network()
            client = open_tunnel(CLIENT, SERVER)
            os.write(client_ready[1], b"x")
            os.read(ready[0], 1)
            own = os.open("/proc/self/ns/net", os.O_RDONLY)
            other = os.open(f"/proc/{os.getppid()}/ns/net", os.O_RDONLY)
            libc.setns(other, CLONE_NEWNET)
            server = open_tunnel(SERVER, CLIENT)
            libc.setns(own, CLONE_NEWNET)
            os.write(client_ready[1], b"x")
            carry([server, client], delay)
        unshare_network()
        os.read(client_ready[0], 1)
        os.write(ready[1], b"x")
        os.read(client_ready[0], 1)
        self.client = ["nsenter", f"--net=/proc/{self.process}/ns/net"]
