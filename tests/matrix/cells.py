# SPDX-License-Identifier: BSL-1.0
"""Builds and runs one cell of the matrix, and keeps what came of it until the files that it was made from change."""

import datetime
import hashlib
import json
import os
import re
import shutil
import time

import roots

KINDS = ("smoke", "tests")
# Seconds for each step, on a machine that has other things to do.
CONFIGURE, BUILD_SMOKE, RUN_SMOKE, BUILD_TESTS, RUN_TESTS = 300, 900, 120, 5400, 1200
NOT_HERE = 77  # smoke.cpp: no backend of this kind

LIBRARIES = {"i686": "i386-linux-gnu", "aarch64": "aarch64-linux-gnu"}
# A kernel for x86_64 runs i686 by itself. qemu-user passes system calls on to it, but for io_uring, sock_diag, SO_COOKIE and
# SIOCOUTQNSD, and cuts TCP_INFO to its first 4 bytes: enough for the small program, whose reports then say less.
EMULATORS = {"aarch64": ["qemu-aarch64"]}


def compiler_options(cell):
    options = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache", f"-DCMAKE_CXX_STANDARD={cell.standard}"]
    if cell.target == "x86_64":
        return [*options, f"-DCMAKE_CXX_COMPILER={cell.compiler}"]
    triple = roots.TRIPLES[cell.target]
    options += [
        "-DCMAKE_SYSTEM_NAME=Linux",
        f"-DCMAKE_SYSTEM_PROCESSOR={cell.target}",
        f"-DCMAKE_LIBRARY_ARCHITECTURE={LIBRARIES[cell.target]}",
        "-DCMAKE_CROSSCOMPILING_EMULATOR=" + ";".join(EMULATORS.get(cell.target, [])),
    ]
    if cell.compiler.startswith("clang"):
        return [*options, f"-DCMAKE_CXX_COMPILER={cell.compiler}", f"-DCMAKE_CXX_COMPILER_TARGET={triple}"]
    return [*options, f"-DCMAKE_CXX_COMPILER={triple}-{cell.compiler}"]


def asio_options(cell):
    there = roots.headers(cell.asio)
    if cell.on_boost:
        return [f"-DBoost_DIR={there}/{roots.boost_package(cell.asio)}", "-DCMAKE_DISABLE_FIND_PACKAGE_asio=ON"]
    return [f"-Dasio_INCLUDE_DIR={there}/include", "-DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON"]


def smoke_options(cell):
    target = "closeside::" + {
        (False, "headers"): "closeside",
        (False, "compiled"): "compiled",
        (True, "headers"): "boost",
        (True, "compiled"): "boost_compiled",
    }[cell.on_boost, cell.mode]
    return [f"-DMATRIX_TARGET={target}", f"-DMATRIX_IO_URING={cell.backend == 'io_uring'}", "-DCMAKE_BUILD_TYPE=Debug",
            "-DCMAKE_CXX_FLAGS_DEBUG="]  # fmt: skip


def tests_options(cell):
    return [
        f"-DCLOSESIDE_ASIO={'boost' if cell.on_boost else 'standalone'}",
        f"-DCLOSESIDE_COMPILED={cell.mode == 'compiled'}",
        f"-DCLOSESIDE_IO_URING={cell.backend == 'io_uring'}",
        "-DCLOSESIDE_BUILD_EXAMPLES=OFF",
        "-DCLOSESIDE_PRECOMPILE_TESTS=ON",
        "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON",
        "-DCMAKE_CXX_EXTENSIONS=OFF",
        "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS_DEBUG=",
    ]


def files_of(kind):
    """What a result depends on."""
    own = os.path.join("tests", "matrix")
    places = ["CMakeLists.txt", "cmake", "include", "examples/tools/observation", own if kind == "smoke" else "tests"]
    for place in places:
        top = os.path.join(roots.SOURCE, place)
        if os.path.isfile(top):
            yield top
        for directory, _, names in os.walk(top):
            if kind == "tests" and directory.endswith(own):
                continue
            for name in names:
                if name.endswith((".hpp", ".ipp", ".cpp", ".cmake", "CMakeLists.txt", ".list")):
                    yield os.path.join(directory, name)


def state_of_tree(kind):
    seen = hashlib.sha256()
    for file in sorted(set(files_of(kind))):
        with open(file, "rb") as read:
            seen.update(file.encode() + b"\0" + read.read() + b"\0")
    return seen.hexdigest()


class Runner:
    def __init__(self, kind, cell):
        self.kind, self.cell = kind, cell
        self.place = os.path.join(roots.BUILD, "cells", cell.name, kind)
        self.log = self.place + ".log"
        self.inside = os.path.join("/closeside", os.path.relpath(self.place, roots.SOURCE))

    def last(self):
        """The latest result, of whatever tree and versions; None if there is none."""
        try:
            with open(self.place + ".json", encoding="utf-8") as read:
                result = json.load(read)
            result["date"] = datetime.date.fromtimestamp(os.path.getmtime(self.place + ".json"))
        except (OSError, ValueError):
            return None
        return result

    def go(self, state):
        shutil.rmtree(self.place, ignore_errors=True)
        os.makedirs(self.place)
        open(self.log, "w", encoding="utf-8").close()
        began = time.monotonic()
        outcome, why = self.smoke() if self.kind == "smoke" else self.tests()
        result = {"outcome": outcome, "why": why, "state": state, "seconds": round(time.monotonic() - began)}
        if outcome != "failed":
            shutil.rmtree(self.place)
        with open(self.place + ".json", "w", encoding="utf-8") as out:
            json.dump(result, out)
        return result

    def step(self, timeout, *command):
        with open(self.log, "a", encoding="utf-8") as out:
            out.write(f"$ {' '.join(command)}\n")
        return roots.run(self.cell.release, command, timeout, self.log)

    def made(self, source, options, targets, timeout):
        """None, or why there is no such program."""
        configured = self.step(CONFIGURE, "cmake", "-G", "Ninja", "-S", source, "-B", self.inside, *compiler_options(self.cell),
                               *asio_options(self.cell), *options)  # fmt: skip
        if configured != 0:
            return "it cannot be configured"
        built = self.step(timeout, "cmake", "--build", self.inside, "--target", *targets, "--", "-k", "0")
        return None if built == 0 else "no end of the build in time" if built is None else "it does not build"

    def smoke(self):
        if why := self.made("/closeside/tests/matrix", smoke_options(self.cell), ["smoke"], BUILD_SMOKE):
            return "failed", why
        status = self.step(RUN_SMOKE, *EMULATORS.get(self.cell.target, []), self.inside + "/smoke")
        if status == NOT_HERE and self.cell.backend == "io_uring":
            return "built", "io_uring is not here" if self.cell.target != "aarch64" else "qemu-user has no io_uring"
        return ("passed", "") if status == 0 else ("failed", "no end in time" if status is None else f"it ends with {status}")

    def tests(self):
        if why := self.made("/closeside", tests_options(self.cell), ["closeside-tests", "closeside-check-asio-members"], BUILD_TESTS):
            return "failed", why
        # Each test in a process of its own, as ever: what one has seen of the machine, the process remembers.
        status = self.step(RUN_TESTS, "ctest", "--test-dir", self.inside, "-L", "unit", "-E", "_NOT_BUILT", "--output-on-failure",
                           "--timeout", "120")  # fmt: skip
        with open(self.log, encoding="utf-8", errors="replace") as read:
            counts = re.findall(r"(\d+) tests? failed out of (\d+)", read.read())
        if status is None:
            return "failed", "no end in time"
        if not counts or counts[-1][1] == "0":
            return "failed", f"ctest ends with {status}, and no test was counted"
        failed, ran = map(int, counts[-1])
        return ("passed" if status == 0 and failed == 0 else "failed"), f"{ran - failed} of {ran} tests"
