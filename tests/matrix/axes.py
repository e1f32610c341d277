# SPDX-License-Identifier: BSL-1.0
"""The axes of the matrix, its cells, and the few of them in which every pair of values meets."""

import itertools
from collections import Counter, namedtuple

# What each Debian release offers. A release comes as a root file system of its own; any Asio goes with any compiler.
Release = namedtuple("Release", "compilers boost")
RELEASES = {
    "bookworm": Release(("g++-12", "clang++-19"), "libboost1.81-dev"),
    "trixie": Release(("g++-14",), "libboost1.88-dev"),
    "sid": Release(("g++-16", "clang++-23"), "libboost1.92-dev"),
}

AXES = {
    "asio": tuple(f"{kind}-{release}" for kind in ("asio", "boost") for release in RELEASES),
    "compiler": tuple(c for release in RELEASES.values() for c in release.compilers),
    "standard": ("20", "23"),
    "mode": ("headers", "compiled"),
    "backend": ("epoll", "io_uring"),
    "target": ("x86_64", "i686", "aarch64"),
}


class Cell(namedtuple("Cell", AXES)):
    @property
    def name(self):
        return ".".join(self)

    @property
    def release(self):
        """The release whose compiler it is, so whose root it is built in."""
        return next(name for name, r in RELEASES.items() if self.compiler in r.compilers)

    @property
    def on_boost(self):
        return self.asio.startswith("boost")


def is_tried(cell):
    """The release between oldest and newest is tried as it comes."""
    return (cell.release == "trixie") == cell.asio.endswith("trixie")


def all_cells():
    return [cell for cell in map(Cell._make, itertools.product(*AXES.values())) if is_tried(cell)]


def has_a_kernel(cell):
    """The socket tests hold what a close reports against the kernel, of which an emulator of programs shows too little."""
    return cell.target != "aarch64"


def pairs(cell):
    return set(itertools.combinations(zip(AXES, cell), 2))


def covering(cells):
    """In each turn the cell that brings together the most values that have not met yet; those come first by which every
    value is seen once, and of equals the one whose values have been seen least."""
    missing = set().union(*map(pairs, cells))
    seen = Counter()
    chosen = []

    def worth(cell):
        values = list(zip(AXES, cell))
        return sum(seen[v] == 0 for v in values), len(pairs(cell) & missing), -sum(seen[v] for v in values)

    while missing:
        best = max(cells, key=worth)
        chosen.append(best)
        seen.update(zip(AXES, best))
        missing -= pairs(best)
    return chosen
