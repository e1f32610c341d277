# SPDX-License-Identifier: BSL-1.0
"""Debian releases as root file systems under build/matrix/roots, from the mirror that this machine's apt has; nothing is
installed on the machine itself."""

import os
import re
import shutil
import subprocess

from axes import RELEASES

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(SOURCE, "build", "matrix")

TOOLS = ["base-files", "bash", "ccache", "cmake", "coreutils", "dash", "doctest-dev", "iproute2", "ninja-build"]
LIBRARIES = ["libssl-dev", "liburing-dev"]
RUN_TIME = ["libc6", "libstdc++6"]
BOOST_PACKAGE = "/lib/x86_64-linux-gnu/cmake"
# What the machine is called by compilers, and by Debian.
TRIPLES = {"i686": "i686-linux-gnu", "aarch64": "aarch64-linux-gnu"}
ARCHITECTURES = {"i686": "i386", "aarch64": "arm64"}

# Runs on this machine's kernel, in a network of its own with loopback; whatever is left ends with it. $0: the root.
ENTER = """
mount --bind "$1" "$0/closeside" && mount -t tmpfs tmpfs "$0/tmp" && mount -t proc proc "$0/proc" &&
mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" && shift && exec chroot "$0" /bin/sh -c '
ip link set lo up && exec "$@"' sh "$@"
"""


class Unavailable(Exception):
    """What this machine cannot offer; its text says how it could."""


def packages(release, cells):
    """What the root of a release needs for these cells. g++ for other machines is a cross-compiler, their libraries are those
    that they have themselves."""
    names = set()
    for cell in cells:
        if cell.asio.endswith(release):
            names.add(RELEASES[release].boost if cell.on_boost else "libasio-dev")
        if cell.release != release:
            continue
        names.update(TOOLS, LIBRARIES)
        names.add(cell.compiler.replace("clang++", "clang"))
        if cell.target != "x86_64":
            names.add(f"{base_of(cell)}-{TRIPLES[cell.target]}")
            names.update(f"{name}:{ARCHITECTURES[cell.target]}" for name in LIBRARIES + RUN_TIME)
        if cell.target == "aarch64":
            names.add("qemu-user")
    return names


def base_of(cell):
    """clang++ takes the C++ library of a g++."""
    return next(c for c in RELEASES[cell.release].compilers if c.startswith("g++"))


def mirror():
    """Of Debian, as apt is configured here; or $DEBIAN_MIRROR."""
    if given := os.environ.get("DEBIAN_MIRROR"):
        return given
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        found = []
    if not found:
        raise Unavailable("apt's configuration names no mirror of Debian: set DEBIAN_MIRROR to the address of one")
    return found[0]


def own_apt_options():
    """How this machine's apt reaches its mirror holds for the roots too."""
    shown = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^Acquire::(?:https?|Check-|Retries).*;$", shown, re.MULTILINE)


def path(release):
    return os.path.join(BUILD, "roots", release)


def unpacked(release):
    """The names of the packages that its root was made with."""
    try:
        with open(os.path.join(path(release), "packages"), encoding="utf-8") as read:
            return set(read.read().split())
    except OSError:
        return set()


def make(release, cells, say):
    """Makes the root of a release, unless it is there and has all that these cells need."""
    root, have, needed = path(release), unpacked(release), packages(release, cells)
    if needed <= have:
        return
    needed |= have
    if os.geteuid() != 0:
        raise Unavailable("the roots of the matrix are made by mmdebstrap and entered by chroot: run this as root")
    if not shutil.which("mmdebstrap"):
        raise Unavailable("there is no mmdebstrap: install it, or run this by cmake/quickstart.sh matrix")
    for asio in ("asio", "boost"):
        shutil.rmtree(os.path.join(BUILD, "headers", f"{asio}-{release}"), ignore_errors=True)
    say(f"unpacking {release} into {os.path.relpath(root, SOURCE)} (some minutes)")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.dirname(root), exist_ok=True)
    log = root + ".log"
    command = [
        "mmdebstrap", "--mode=root", "--variant=extract", "--architectures=amd64," + ",".join(ARCHITECTURES.values()),
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", "--include=" + ",".join(sorted(needed)),
        *(f"--aptopt={option}" for option in own_apt_options()), release, root, f"deb {mirror()} {release} main",
    ]  # fmt: skip
    with open(log, "w", encoding="utf-8") as out:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=1800).returncode
    if status != 0:
        told = [line for line in open(log, encoding="utf-8") if line.startswith("E:")]
        raise Unavailable(f"mmdebstrap cannot make {release}, see {log}: {''.join(told[:1]).strip()}")
    os.makedirs(os.path.join(root, "closeside"))
    with open(os.path.join(root, "packages"), "w", encoding="utf-8") as out:
        out.write("\n".join(sorted(needed)) + "\n")


def headers(asio):
    """Where one Asio lies alone, so that a compiler of another release finds nothing else of its release's: as the roots
    see it."""
    kind, release = asio.split("-")
    there = os.path.join(BUILD, "headers", asio)
    usr = os.path.join(path(release), "usr")
    if not os.path.exists(there):
        made = there + ".partial"
        shutil.rmtree(made, ignore_errors=True)
        os.makedirs(made + "/include")
        if kind == "asio":
            shutil.copytree(usr + "/include/asio", made + "/include/asio", copy_function=os.link)
            os.link(usr + "/include/asio.hpp", made + "/include/asio.hpp")
        else:
            shutil.copytree(usr + "/include/boost", made + "/include/boost", copy_function=os.link)
            shutil.copytree(usr + BOOST_PACKAGE, made + BOOST_PACKAGE, copy_function=os.link)
        os.rename(made, there)
    return os.path.join("/closeside", os.path.relpath(there, SOURCE))


def boost_package(asio):
    """Where its CMake package is in headers(asio). Debian has it beside the libraries of one machine; we want headers only."""
    name = next(n for n in os.listdir(os.path.join(BUILD, "headers", asio) + BOOST_PACKAGE) if n.startswith("Boost-"))
    return f"{BOOST_PACKAGE[1:]}/{name}"


def run(release, command, timeout, log):
    """Runs a command in a root, its output into a file. Returns the exit status, None when the time is over. Nothing of it
    outlives its end, or ours."""
    environment = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root", "LC_ALL": "C", "CCACHE_DIR": "/closeside/build/matrix/ccache"}
    enter = [
        "setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
        "/bin/sh", "-c", ENTER, path(release), SOURCE,
    ]  # fmt: skip
    with open(log, "a", encoding="utf-8") as out:
        process = subprocess.Popen([*enter, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            process.kill()
            process.wait()


def ask(release, command):
    enter = ["chroot", path(release), *command]
    answer = subprocess.run(enter, capture_output=True, text=True, env={"PATH": "/usr/sbin:/usr/bin"}, timeout=60)
    return answer.stdout
