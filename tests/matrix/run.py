#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The matrix of what closeside is used with: Asios, compilers, standards, modes, backends, machines."""

import argparse
import concurrent.futures
import fcntl
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
Results are kept in build/matrix until what they were made from changes; the next call goes on from there, and tries again
what has failed.
Exit status: 0 all passed, 1 some failed, 64 wrong use, 77 this machine cannot do it, for a reason that is told.
"""  # fmt: skip

# What the other stages of .ci/run do not have: the newest of everything, another machine, the other backend.
CI = [
    axes.Cell("asio-sid", "g++-16", "23", "headers", "io_uring", "x86_64"),
    axes.Cell("boost-sid", "g++-16", "20", "compiled", "epoll", "i686"),
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
        wanted += [("tests", cell) for cell in axes.covering(list(filter(axes.has_a_kernel, everything)))]
    if not given.covering:
        wanted += [("smoke", cell) for cell in everything if cell not in first]
    terms = [term.split("=", 1) for term in given.only]
    return [(kind, cell) for kind, cell in wanted if all(getattr(cell, axis) == value for axis, value in terms)]


class States:
    """What a result was made from: the files, and the versions that Debian had then."""

    def __init__(self):
        self.trees = {kind: cells.state_of_tree(kind) for kind in cells.KINDS}
        self.versions = {}
        for release in axes.RELEASES:
            self.versions.update(table.versions(release))

    def versions_of(self, cell):
        return [self.versions.get(value, "?") for value in (cell.asio, cell.compiler)]

    def of(self, kind, cell):
        return " ".join([self.trees[kind], *self.versions_of(cell)])

    def kept(self, kind, cell):
        """The result that stands for the files and versions as they are."""
        result = cells.Runner(kind, cell).last()
        return result if result and result["state"] == self.of(kind, cell) else None

    def for_table(self, kind):
        """The latest of each cell with these versions: a matrix takes longer than a day's changes of the tree."""
        found = {}
        for cell in axes.all_cells():
            result = cells.Runner(kind, cell).last()
            if result and result["state"].endswith(" ".join(self.versions_of(cell))):
                found[cell] = {**result, "current": result["state"] == self.of(kind, cell)}
        return found

    def open(self, wanted):
        """What has failed is tried again."""
        known = [(item, self.kept(*item)) for item in wanted]
        return [item for item, result in known if result is None or result["outcome"] == "failed"]


def finished(pool, running):
    """As they end; an interrupt begins no more of them."""
    try:
        yield from concurrent.futures.as_completed(running)
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def run_all(wanted, states, given):
    """Returns what has failed, and how many were not begun."""
    deadline = time.monotonic() + given.minutes * 60 if given.minutes else None
    failed, left = [], 0

    def one(kind, cell):
        if deadline and time.monotonic() > deadline:
            return None
        return cells.Runner(kind, cell).go(states.of(kind, cell))

    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        running = {pool.submit(one, kind, cell): (kind, cell) for kind, cell in wanted}
        for done in finished(pool, running):
            kind, cell = running[done]
            if (result := done.result()) is None:
                left += 1
                continue
            say(f"{result['outcome']}: {kind} {cell.name}, {result['seconds']} s" + (f": {result['why']}" if result["why"] else ""))
            if result["outcome"] == "failed":
                failed.append((kind, cell))
                say(f"  see {os.path.relpath(cells.Runner(kind, cell).log, roots.SOURCE)}")
    return failed, left


def moved_on(cell, states):
    """Has Debian newer versions of these than the committed table? Then a failure is news, and nobody's fault."""
    with open(table.PAGE, encoding="utf-8") as read:
        page = read.read()
    return [states.versions[value] for value in (cell.asio, cell.compiler) if states.versions[value] not in page]


def claim():
    """One run at a time has the roots and the results."""
    os.makedirs(roots.BUILD, exist_ok=True)
    lock = open(os.path.join(roots.BUILD, "lock"), "w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise roots.Unavailable("another run of the matrix is under way in build/matrix: wait for it, or end it") from None
    return lock


def main():
    given = arguments()
    wanted = chosen(given)
    states = States()
    if given.list:
        for kind, cell in wanted:
            result = states.kept(kind, cell)
            say(f"{result['outcome'] if result else '-':8}{kind:7}{cell.name}")
        return 0
    lock = claim()
    unknown = states.open(wanted)
    if unknown:
        for release in axes.RELEASES:
            roots.make(release, [cell for _, cell in unknown], say)
        for asio in {cell.asio for _, cell in unknown}:
            roots.headers(asio)
        states = States()
        unknown = states.open(wanted)
    say(f"{len(wanted)} cells, {len(wanted) - len(unknown)} of them known already")
    failed, left = run_all(unknown, states, given)
    if left:
        say(f"{left} cells were not begun in {given.minutes:g} minutes")
    if given.ci:
        for kind, cell in list(failed):
            if news := moved_on(cell, states):
                say(f"NOT COUNTED: {cell.name} failed, but RESULTS.md does not know {' nor '.join(news)}: run the matrix")
                failed.remove((kind, cell))
        return 1 if failed else 0
    known = {kind: states.for_table(kind) for kind in cells.KINDS}
    table.write(known, states.versions)
    say(table.text(known, states.versions))
    lock.close()
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except roots.Unavailable as missing:
        print(f"matrix: {missing}", file=sys.stderr)
        sys.exit(77)
