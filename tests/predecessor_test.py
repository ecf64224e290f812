#!/usr/bin/python3
"""Each fault of the removed security module that docs/netxduo/predecessor.md lists has tests, which exist and are run."""
import glob
import os
import re
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = "docs/netxduo/predecessor.md"
FAULTS = 21


def rows():
    with open(f"{ROOT}/{PAGE}", encoding="utf-8") as page:
        cells = [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in page if re.match(r"\| \d+ \|", line)]
    return {int(number): re.findall(r"`(\w+)`", tests) for number, _, _, tests in cells}


def tests():
    """Names that a program of ours hands to cmocka, by the files that do."""
    found = {}
    for path in glob.glob(f"{ROOT}/wire/tests/*.c") + glob.glob(f"{ROOT}/agent/**/tests/**/*.c", recursive=True):
        with open(path, encoding="utf-8") as source:
            text = source.read()
        for name in re.findall(r"\b(?:TEST|cmocka_unit_test\w*)\((\w+)", text):
            if re.search(rf"^static void {name}\(void \*\*state\)$", text, re.M):
                found[name] = os.path.relpath(path, ROOT)
    return found


class ThePredecessorsFaults(unittest.TestCase):
    def test_are_all_listed(self):
        self.assertEqual(sorted(rows()), list(range(1, FAULTS + 1)))

    def test_have_tests_that_exist(self):
        known = tests()
        for number, names in rows().items():
            with self.subTest(fault=number):
                self.assertTrue(names, f"{PAGE}: fault {number}: no test")
                self.assertEqual([name for name in names if name not in known], [], f"{PAGE}: fault {number}: no such test")

    def test_a_name_that_is_no_test_would_be_found(self):
        known = tests()
        self.assertIn("inbound_icmpv6_is_counted", known)
        self.assertNotIn("harness_setup", known)


if __name__ == "__main__":
    sys.exit(unittest.main())
