# SPDX-License-Identifier: BSL-1.0
"""python3 test_matrix.py: the few cells that are tried first are as telling as they are said to be, and the table counts."""

import itertools
import sys
import unittest

sys.dont_write_bytecode = True

import axes
import cells
import run
import table


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


class Table(unittest.TestCase):
    def field_of(self, *outcomes, tests=()):
        same = [c for c in axes.all_cells() if c.asio == "asio-sid" and c.compiler == "g++-16" and c.target == "aarch64"]
        self.assertEqual(len(same), table.PER_FIELD)
        results = {kind: {} for kind in cells.KINDS}
        results["smoke"] = {cell: {"outcome": outcome} for cell, outcome in zip(same, outcomes)}
        results["tests"] = {cell: {"outcome": outcome} for cell, outcome in zip(same, tests)}
        return table.field(same, results)

    def test_what_was_not_tried_does_not_count(self):
        self.assertEqual(self.field_of("passed"), "1/1")
        self.assertEqual(self.field_of(), "·")

    def test_a_failure_is_seen(self):
        self.assertEqual(self.field_of("passed", "failed"), "1/2, **1 failed**")
        self.assertEqual(self.field_of("passed", tests=["passed", "failed"]), "1/1; tests 1/2")

    def test_what_was_built_only_is_told_apart(self):
        self.assertEqual(self.field_of("passed", "built", "built"), "3/3, 2 not run")

    def test_a_page_of_nothing_says_so(self):
        page = table.text({kind: {} for kind in cells.KINDS}, {})
        self.assertIn(f"0 of {len(axes.all_cells())} cells", page)


if __name__ == "__main__":
    unittest.main()
