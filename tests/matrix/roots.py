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

# Compilers for other machines than ours are cross-compilers; the libraries of those are Debian's own for them.
TOOLS = ["base-files", "bash", "ccache", "cmake", "coreutils", "dash", "doctest-dev", "iproute2", "ninja-build", "qemu-user"]
LIBRARIES = ["libssl-dev", "liburing-dev"]
RUN_TIME = ["libc6", "libstdc++6"]
BOOST_PACKAGE = "/lib/x86_64-linux-gnu/cmake"
FOREIGN = {"i386": "i686-linux-gnu", "arm64": "aarch64-linux-gnu"}

# Runs on this machine's kernel, in a network of its own with loopback; whatever is left ends with it. $0: the root.
ENTER = """
mount --bind "$1" "$0/closeside" && mount -t tmpfs tmpfs "$0/tmp" && mount -t proc proc "$0/proc" &&
mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" && shift && exec chroot "$0" /bin/sh -c '
ip link set lo up && exec "$@"' sh "$@"
"""


class Unavailable(Exception):
    """What this machine cannot offer; its text says how it could."""


def packages(release):
    names = TOOLS + LIBRARIES + [RELEASES[release].boost, "libasio-dev"]
    for compiler in RELEASES[release].compilers:
        names.append(compiler.replace("clang++", "clang"))
        if compiler.startswith("g++"):
            names += [f"{compiler}-{triple}" for triple in FOREIGN.values()]
    return names + [f"{name}:{architecture}" for architecture in FOREIGN for name in LIBRARIES + RUN_TIME]


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


def make(release, say):
    """Makes the root if there is none with these packages."""
    root, listed = path(release), " ".join(packages(release))
    stamp = os.path.join(root, "packages")
    if os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == listed:
        return
    if os.geteuid() != 0:
        raise Unavailable("the roots of the matrix are made by mmdebstrap and entered by chroot: run this as root")
    if not shutil.which("mmdebstrap"):
        raise Unavailable("there is no mmdebstrap: install it, or run this by cmake/quickstart.sh matrix")
    say(f"unpacking {release} into {os.path.relpath(root, SOURCE)} (some minutes)")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.dirname(root), exist_ok=True)
    log = root + ".log"
    command = [
        "mmdebstrap", "--mode=root", "--variant=extract", "--architectures=" + ",".join(["amd64", *FOREIGN]),
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", "--include=" + listed.replace(" ", ","),
        *(f"--aptopt={option}" for option in own_apt_options()), release, root, f"deb {mirror()} {release} main",
    ]  # fmt: skip
    with open(log, "w", encoding="utf-8") as out:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=1800).returncode
    if status != 0:
        told = [line for line in open(log, encoding="utf-8") if line.startswith("E:")]
        raise Unavailable(f"mmdebstrap cannot make {release}, see {log}: {''.join(told[:1]).strip()}")
    os.makedirs(os.path.join(root, "closeside"))
    with open(stamp, "w", encoding="utf-8") as out:
        out.write(listed)


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


def run(release, command, timeout, log):
    """Runs a command in a root, its output into a file. Returns the exit status, None when the time is over."""
    environment = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root", "LC_ALL": "C", "CCACHE_DIR": "/closeside/build/matrix/ccache"}
    enter = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", ENTER, path(release), SOURCE]
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
