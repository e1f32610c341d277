# SPDX-License-Identifier: BSL-1.0
"""The axes of the matrix, its cells, and the few of them in which every pair of values meets."""

import itertools
from collections import namedtuple

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


def pairs(cell):
    return set(itertools.combinations(zip(AXES, cell), 2))


def covering(cells):
    """In each turn the cell that brings together the most values that have not met yet; those come first by which every
    value is seen once."""
    values = {item for cell in cells for item in zip(AXES, cell)}
    missing = set().union(*map(pairs, cells))
    chosen = []
    while missing:
        best = max(cells, key=lambda cell: (len(set(zip(AXES, cell)) & values), len(pairs(cell) & missing)))
        chosen.append(best)
        values -= set(zip(AXES, best))
        missing -= pairs(best)
    return chosen
