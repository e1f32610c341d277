#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The matrix of what closeside is used with: Asios, compilers, standards, modes, backends, machines."""

import argparse
import concurrent.futures
import os
import sys
import time

sys.dont_write_bytecode = True  # the sources are nobody's to write into

import axes
import cells
import roots
import table

EPILOG = """axes and values:
""" + "".join(f"  {name}={'|'.join(values)}\n" for name, values in axes.AXES.items()) + """
Results are kept in build/matrix until a file that they were made from changes, and the next call goes on from there.
Exit status: 0 all passed, 1 some failed, 64 wrong use, 77 this machine cannot make the roots.
"""  # fmt: skip

# What the other stages of .ci/run do not have: the newest of everything, another machine, the other backend.
CI = [
    axes.Cell("asio-sid", "g++-16", "23", "headers", "io_uring", "x86_64"),
    axes.Cell("boost-sid", "clang++-23", "20", "compiled", "epoll", "i686"),
    axes.Cell("asio-sid", "g++-16", "20", "compiled", "epoll", "aarch64"),
]


def say(text):
    print(text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(
        prog="matrix", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="AXIS=VALUE", action="append", default=[], help="these cells only; again: of them")
    parser.add_argument("--smoke", action="store_true", help="only the small program, no socket tests")
    parser.add_argument("--covering", action="store_true", help="only the cells in which every two values meet, not all")
    parser.add_argument("--ci", action="store_true", help="only the small program in a few cells; writes no RESULTS.md")
    parser.add_argument("--list", action="store_true", help="show the cells and what is known of them, and do nothing")
    parser.add_argument("--minutes", type=float, metavar="N", help="begin no cell after N minutes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="cells at a time (%(default)s)")
    given = parser.parse_args()
    for term in given.only:
        axis, equals, value = term.partition("=")
        if not equals or value not in axes.AXES.get(axis, ()):
            print(f"matrix: --only '{term}': there is no such axis or value; --help lists them", file=sys.stderr)
            sys.exit(64)
    if given.jobs < 1:
        print("matrix: --jobs takes a number from 1", file=sys.stderr)
        sys.exit(64)
    return given


def chosen(given):
    """(kind, cell) in the order in which they are worth running."""
    if given.ci:
        return [("smoke", cell) for cell in CI]
    everything = axes.all_cells()
    first = axes.covering(everything)
    wanted = [("smoke", cell) for cell in first]
    if not given.smoke:
        wanted += [("tests", cell) for cell in first]
    if not given.covering:
        wanted += [("smoke", cell) for cell in everything if cell not in first]
    terms = [term.split("=", 1) for term in given.only]
    return [(kind, cell) for kind, cell in wanted if all(getattr(cell, axis) == value for axis, value in terms)]


def run_all(wanted, states, given):
    """Returns whether all passed, and how many were not begun."""
    deadline = time.monotonic() + given.minutes * 60 if given.minutes else None
    left = 0

    def one(kind, cell):
        if deadline and time.monotonic() > deadline:
            return None
        return cells.Runner(kind, cell).go(states[kind])

    good = True
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        running = {pool.submit(one, kind, cell): (kind, cell) for kind, cell in wanted}
        for done in concurrent.futures.as_completed(running):
            kind, cell = running[done]
            if (result := done.result()) is None:
                left += 1
                continue
            say(f"{result['outcome']}: {kind} {cell.name}, {result['seconds']} s" + (f": {result['why']}" if result["why"] else ""))
            if result["outcome"] == "failed":
                good = False
                say(f"  see {os.path.relpath(cells.Runner(kind, cell).log, roots.SOURCE)}")
    return good, left


def main():
    given = arguments()
    states = {kind: cells.state_of_tree(kind) for kind in ("smoke", "tests")}
    wanted = chosen(given)
    kept = {item: cells.Runner(*item).kept(states[item[0]]) for item in wanted}
    if given.list:
        for (kind, cell), result in kept.items():
            say(f"{result['outcome'] if result else '-':8}{kind:7}{cell.name}")
        return 0
    open_cells = [item for item, result in kept.items() if result is None]
    say(f"{len(wanted)} cells, {len(wanted) - len(open_cells)} of them known already")
    # Every compiler is wanted in the root of its release, and every Asio is taken from there.
    for release in axes.RELEASES:
        if any(cell.release == release or cell.asio.endswith(release) for _, cell in open_cells):
            roots.make(release, say)
    for asio in {cell.asio for _, cell in open_cells}:
        roots.headers(asio)
    good, left = run_all(open_cells, states, given)
    good = good and not any(result and result["outcome"] == "failed" for result in kept.values())
    if left:
        say(f"{left} cells were not begun in {given.minutes:g} minutes")
    if not given.ci:
        known = {kind: {} for kind in states}
        for kind in states:
            for cell in axes.all_cells():
                if result := cells.Runner(kind, cell).kept(states[kind]):
                    known[kind][cell] = result
        table.write(known)
        say(table.text(known))
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except roots.Unavailable as missing:
        print(f"matrix: {missing}", file=sys.stderr)
        sys.exit(77)
