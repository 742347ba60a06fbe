#!/usr/bin/env python3
"""Tests of tally.py: summaries as Catch2, pytest and unittest print them, and programs that only pass or fail."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tally  # noqa: E402


class Count(unittest.TestCase):
    def seen(self, result, stdout=""):
        return tally.count({"result": result, "stdout": stdout})

    def test_programs_without_a_summary(self):
        self.assertEqual(self.seen("OK"), (1, 0))
        self.assertEqual(self.seen("EXPECTEDFAIL"), (1, 0))
        self.assertEqual(self.seen("SKIP"), (0, 0))
        for result in ("FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS"):
            self.assertEqual(self.seen(result), (0, 1))

    def test_catch2(self):
        self.assertEqual(self.seen("OK", "...\nAll tests passed (118 assertions in 12 test cases)\n\n"), (12, 0))
        self.assertEqual(self.seen("OK", "All tests passed (1 assertion in 1 test case)\n"), (1, 0))
        self.assertEqual(self.seen("FAIL", "test cases: 4 | 1 passed | 2 failed | 1 skipped\nassertions: 9\n"), (1, 2))
        self.assertEqual(self.seen("OK", "test cases: 3 | 2 passed | 1 skipped\nassertions: - none -\n"), (2, 0))

    def test_pytest(self):
        self.assertEqual(self.seen("OK", "======= 5 passed in 0.01s ========\n"), (5, 0))
        self.assertEqual(self.seen("OK", "3 passed, 1 skipped, 2 warnings in 61.20s (0:01:01)\n"), (3, 0))
        self.assertEqual(self.seen("FAIL", "= 1 failed, 2 passed, 1 error in 0.12s =\n"), (2, 2))
        self.assertEqual(self.seen("OK", "2 skipped in 0.01s\n"), (0, 0))

    def test_unittest(self):
        self.assertEqual(self.seen("OK", "Ran 7 tests in 0.500s\n\nOK (skipped=2)\n"), (5, 0))
        self.assertEqual(self.seen("FAIL", "Ran 7 tests in 0.500s\n\nFAILED (failures=1, errors=2)\n"), (4, 3))

    def test_a_crash_after_a_good_summary_is_a_failure(self):
        self.assertEqual(self.seen("FAIL", "All tests passed (3 assertions in 2 test cases)\n"), (2, 1))


if __name__ == "__main__":
    unittest.main()
