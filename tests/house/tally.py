#!/usr/bin/env python3
"""Counts what passed and failed in Meson's testlog.json: cases of Catch2, pytest and unittest, else programs."""
import json
import os
import re
import sys

CATCH2_ALL = re.compile(r"^All tests passed \(\d+ assertions? in (\d+) test cases?\)", re.M)
CATCH2_SOME = re.compile(r"^test cases: +\d+ \|(.*)$", re.M)
PYTEST = re.compile(r"^=* ?((?:\d+ [a-z]+, )*\d+ (?:passed|failed|errors?|skipped|xfailed)\b.*) in [\d.:]+s", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in [\d.]+s\s+(?:OK|FAILED)(.*)$", re.M)
FAILED = {"FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS"}  # beside OK, EXPECTEDFAIL, SKIP


def number(word, text):
    """The figure before a word in a summary such as `3 passed, 1 failed`; 0 when the word is absent."""
    found = re.search(rf"(\d+) {word}\b", text)
    return int(found[1]) if found else 0


def count(entry):
    """(passed, failed) of one line of the log."""
    output = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
    broken = entry["result"] in FAILED
    passed = failed = 0
    if every := CATCH2_ALL.findall(output):
        passed = int(every[-1])
    elif some := CATCH2_SOME.findall(output):
        passed, failed = number("passed", some[-1]), number("failed", some[-1])
    elif summary := PYTEST.findall(output):
        passed, failed = number("passed", summary[-1]), number("failed", summary[-1]) + number("errors?", summary[-1])
    elif ran := UNITTEST.findall(output):
        failed = sum(int(n) for n in re.findall(r"(?:failures|errors|unexpected successes)=(\d+)", ran[-1][1]))
        passed = int(ran[-1][0]) - failed - sum(int(n) for n in re.findall(r"skipped=(\d+)", ran[-1][1]))
    elif entry["result"] in ("OK", "EXPECTEDFAIL"):
        passed = 1
    return passed, max(failed, 1) if broken else failed


def main(paths):
    logs = [open(path, encoding="utf-8") for path in paths if os.path.exists(path)]
    if not logs:  # no test ran: the build broke, or the tests were only listed; Meson has said which
        return 0
    counts = [count(json.loads(line)) for log in logs for line in log if line.strip()]
    passed, failed = (sum(column) for column in zip(*counts)) if counts else (0, 0)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
