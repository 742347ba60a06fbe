"""Reads what was measured: bench/results/<machine>/*.jsonl, for bench/tables.py."""
import glob
import json
import os
import re
import sys


def lines_of(path):
    """The JSON objects of a file, each with its place; a .json file may also hold one object over many lines."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if path.endswith(".json"):
        try:
            whole = json.loads(text)
            return [(path, line) for line in (whole if isinstance(whole, list) else [whole])]
        except json.JSONDecodeError:
            pass
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            lines.append((f"{path}:{number}", json.loads(line)))
        except json.JSONDecodeError as error:
            sys.exit(f"tables: {path}:{number}: not JSON: {error.msg}")
    return lines


class Results:
    """All that was measured: `stepping`, `alone` (without the drawing of actions), `at_once` (many steps in a launch), `fronts`, `doors`
    and `evaluations` are lines as printed, `runs` have run, updates and result."""

    def __init__(self, folder):
        self.stepping, self.alone, self.at_once, self.fronts, self.doors = [], [], [], [], []
        self.evaluations, self.runs, self.self_play, self.machines = [], [], [], {}
        for path in sorted(glob.glob(os.path.join(folder, "*", "*.json*"))):
            if path.endswith((".json", ".jsonl")):
                self.read(path, os.path.basename(os.path.dirname(path)))
        self.runs = [run for run in self.runs if run["result"]]  # others were stopped
        self.stepping = newest(self.stepping, ("machine", "label", "env", "num_envs"))
        self.alone = newest(self.alone, ("machine", "label", "env", "num_envs"))
        self.at_once = newest(self.at_once, ("machine", "label", "env", "num_envs", "step_random"))
        self.fronts = newest(self.fronts, ("machine", "env", "runs"))

    def read(self, path, machine):
        facts, asked = {"machine": machine}, {}
        for place, line in lines_of(path):
            kind = line.get("type")
            if kind == "machine":
                facts = {**line, "machine": machine}
                before = self.machines.get(machine, {})
                self.machines[machine] = max(before, facts, key=lambda f: f.get("date", ""))
            elif kind == "run":
                self.runs.append({"run": line, "updates": [], "result": None, "facts": facts})
            elif kind in ("update", "result") and self.runs:
                self.add_to_run(self.runs[-1], line)
            elif kind in ("tournament", "trained", "pooled", "method"):
                self.self_play.append({**line, "facts": facts, "machine": machine})
            elif kind == "doors":
                asked = line
            elif "door" in line:
                self.doors.append({**line, "asked": asked, "facts": facts})
            elif "env_steps_per_s" in line:
                kind = self.at_once if line.get("step_random") else self.alone if line.get("steps_alone") else self.stepping
                kind.append({**line, "facts": facts, "machine": machine, "label": label(line, facts)})
            elif "runs" in line and "greedy" in line:
                self.fronts.append({**line, "facts": facts, "machine": machine})
            elif "checkpoint" in line and "greedy" in line:
                self.evaluations.append({**line, "facts": facts})
            elif kind != "command" and "check" not in line:
                sys.exit(f"tables: {place}: neither of throng bench, eval or train, nor of bench/collect.py, doors.py or self_play.py")

    @staticmethod
    def add_to_run(run, line):
        if line["type"] == "update":
            run["updates"].append(line)
        else:
            run["result"] = line


def newest(lines, keys):
    """The line of the latest date for each combination of `keys`."""
    found = {}
    for line in sorted(lines, key=lambda l: l["facts"].get("date", "")):
        found[tuple(line[k] for k in keys)] = line
    return list(found.values())


def label(line, facts):
    """What computed: "NVIDIA H200", "16 threads of Intel Xeon ..."."""
    inside = re.search(r"\((.*)\)$", line["device_name"])
    name = inside[1] if inside else line["device_name"]
    if line["device"] != "cpu":
        return name
    return f"{name} of {re.sub(r'[(](R|TM|C)[)]', '', facts['cpu'], flags=re.I)}" if facts.get("cpu") else f"CPU, {name}"
