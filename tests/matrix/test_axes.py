# SPDX-License-Identifier: BSL-1.0
"""python3 test_axes.py: the few cells that are tried first are as few and as telling as they are said to be."""

import itertools
import sys
import unittest

sys.dont_write_bytecode = True

import axes
import run


class Covering(unittest.TestCase):
    cells = axes.all_cells()
    first = axes.covering(cells)

    def test_every_two_values_that_can_meet_do(self):
        can = set().union(*map(axes.pairs, self.cells))
        self.assertEqual(can, set().union(*map(axes.pairs, self.first)))

    def test_every_value_is_in_the_first_few(self):
        most = max(len(values) for values in axes.AXES.values())
        for axis, values in axes.AXES.items():
            self.assertEqual({getattr(cell, axis) for cell in self.first[:most]}, set(values))

    def test_no_cell_is_there_without_need(self):
        self.assertEqual(len(self.first), len(set(self.first)))
        fewest = len(axes.AXES["asio"]) * len(axes.AXES["compiler"])
        self.assertLessEqual(len(self.first), fewest)

    def test_the_order_is_the_same_each_time(self):
        self.assertEqual(self.first, axes.covering(axes.all_cells()))

    def test_oldest_and_newest_meet(self):
        for asio, compiler in itertools.product(("asio", "boost"), ("g++-12", "clang++-19", "g++-16", "clang++-23")):
            for release in ("bookworm", "sid"):
                self.assertTrue(any(cell[:2] == (f"{asio}-{release}", compiler) for cell in self.first))

    def test_what_ci_tries_are_cells(self):
        self.assertLessEqual(set(run.CI), set(self.cells))
        for axis in ("standard", "mode", "backend", "target"):
            self.assertGreater(len({getattr(cell, axis) for cell in run.CI}), 1)


if __name__ == "__main__":
    unittest.main()
