# SPDX-License-Identifier: BSL-1.0
"""What came of the cells, as one table."""

import datetime
import os
import re

import roots
from axes import AXES, RELEASES, all_cells

PAGE = os.path.join(roots.SOURCE, "tests", "matrix", "RESULTS.md")
PER_FIELD = len(AXES["standard"]) * len(AXES["mode"]) * len(AXES["backend"])


def version_in(file, macro):
    with open(file, encoding="utf-8", errors="replace") as read:
        number = re.search(rf"^#define {macro}\s+(\d+)", read.read(), re.MULTILINE)
    number = int(number.group(1))
    return f"{number // 100000}.{number // 100 % 1000}.{number % 100}"


def versions(release):
    """By the names of the axes, as far as its root has them."""
    usr = os.path.join(roots.path(release), "usr")
    have = roots.unpacked(release)
    found = {}
    if "libasio-dev" in have:
        found[f"asio-{release}"] = "Asio " + version_in(usr + "/include/asio/version.hpp", "ASIO_VERSION")
    if RELEASES[release].boost in have:
        number = version_in(usr + "/include/boost/version.hpp", "BOOST_VERSION")
        found[f"boost-{release}"] = "Boost " + number.removesuffix(".0")
    for compiler in RELEASES[release].compilers:
        if compiler.replace("clang++", "clang") in have:
            number = re.search(r"\d+\.\d+\.\d+", roots.ask(release, [compiler, "--version"]))
            found[compiler] = f"{compiler.split('-')[0]} {number.group(0)}" if number else compiler
    return found


def field(cells, results):
    """Of cells that differ in standard, mode and backend."""
    if not cells:
        return ""
    smoke = [results["smoke"][cell]["outcome"] for cell in cells if cell in results["smoke"]]
    tests = [results["tests"][cell]["outcome"] for cell in cells if cell in results["tests"]]
    good = [outcome for outcome in smoke if outcome != "failed"]
    if not smoke:
        return "·"
    text = f"{len(good)}/{len(smoke)}"
    if "built" in good:
        text += f", {good.count('built')} not run"
    if "failed" in smoke:
        text += f", **{smoke.count('failed')} failed**"
    if tests:
        text += f"; tests {tests.count('passed')}/{len(tests)}"
    return text


def text(results, named):
    """`results`: by kind, by cell; `named`: the values of axes that have a version."""
    called = lambda value: named.get(value, value)
    cells = all_cells()
    lines = ["| Asio | machine | " + " | ".join(map(called, AXES["compiler"])) + " |", "|---" * (2 + len(AXES["compiler"])) + "|"]
    for asio in AXES["asio"]:
        for target in AXES["target"]:
            row = [[c for c in cells if c[:2] == (asio, compiler) and c.target == target] for compiler in AXES["compiler"]]
            lines.append(f"| {called(asio)} | {target} | " + " | ".join(field(of, results) for of in row) + " |")
    notes = []
    for kind, title in ("tests", "Socket tests"), ("smoke", "The small program"):
        for cell, result in sorted(results[kind].items()):
            if result["why"]:
                where = ", ".join(called(value) for value in cell)
                notes.append(f"- {title}, {where}: {result['outcome']}: {result['why']}")
    system = os.uname()
    run = {kind: len(results[kind]) for kind in results}
    every = [result for kind in results for result in results[kind].values()]
    dates = sorted({f"{result['date']:%Y-%m-%d}" for result in every}) or [f"{datetime.date.today():%Y-%m-%d}"]
    older = sum(not result["current"] for result in every)
    return "\n".join([
        *lines, "",
        f"Linux {system.release.split('-')[0]}, {' to '.join(dates[:: max(1, len(dates) - 1)])}: {run['smoke']} of {len(cells)} cells with the",
        f"small program, {run['tests']} with the socket tests; {older} of these results are of an earlier state of the files.", "",
        *([*notes, ""] if notes else []),
    ])  # fmt: skip


HEAD = """# The matrix

`sh cmake/quickstart.sh matrix` writes this page. A field counts the cells of an Asio, a machine and a compiler: C++20 and C++23,
header-only and compiled, on epoll and on io_uring, which makes {per_field}. In each cell `tests/matrix/smoke.cpp`, which includes
every public header, is built without a warning and run: `3/4` has three good ones of the four that have been tried so far, a dot
none that has; `not run` are those that built, and whose program has no kernel here. `tests` are cells in which `closeside-tests` ran too, but for its namespaces: a set in which
every two values of the axes meet. aarch64 is run by qemu-user, i686 by this machine's kernel. Every compiler is Debian's, and
the release in the middle is tried with its own Asio and Boost only.

"""


def write(results, named):
    with open(PAGE, "w", encoding="utf-8") as out:
        out.write(HEAD.format(per_field=PER_FIELD) + text(results, named))
