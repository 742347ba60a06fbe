#!/usr/bin/env python3
"""How much faster a CPU steps environments side by side (core/packs.hpp) than one at a time, for each instruction set it has.

    python3 bench/cpu_packs.py                                       # smax/3m and smax/2s3z, one thread
    python3 bench/cpu_packs.py --only smax/25m --levels scalar,v3
    python3 bench/cpu_packs.py --before OLD/throng                   # another build as well, for comparison

One JSON object an environment: environment steps per second of processor time of each level (the best of some rounds, in which
the levels take turns, so that other work on the machine meets all of them alike), as multiples of the first, and whether all
ended in the same state. What is counted is `throng bench`: random legal actions, everything written. Standard library only.
"""
import argparse
import json
import os
import resource
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def play(throng, level, options, env, steps):
    """Plays so many steps; their processor time, and the state they end in."""
    command = [throng, "bench", env, "--device", "cpu", "--threads", "1", "--num_envs", str(options.num_envs), "--json",
               "--windows", "1", "--seconds", "1e-6", "--hash_steps", str(steps)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "THRONG_CPU_LEVEL": level})
    if done.returncode != 0:
        sys.exit(f"cpu_packs: {done.stderr.strip().splitlines()[-1]}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, json.loads(done.stdout)["state_hash"]


def rate(throng, level, options, env, seconds):
    """Steps per second: what many steps take longer than few, so that the start of the program does not count."""
    few, many = 50, 100
    while True:
        short, _ = play(throng, level, options, env, few)
        long, state = play(throng, level, options, env, many)
        if long - short >= seconds:
            return (many - few) * options.num_envs / (long - short), state
        many = few + int((many - few) * max(2, 1.2 * seconds / max(long - short, 0.01)))


def known_levels(throng, options, env):
    levels = []
    for level in ("scalar", "v2", "v3", "v4", "neon"):
        command = [throng, "bench", env, "--device", "cpu", "--num_envs", "1", "--windows", "1", "--seconds", "1e-6", "--json"]
        done = subprocess.run(command, check=False, capture_output=True, env={**os.environ, "THRONG_CPU_LEVEL": level})
        if done.returncode == 0:
            levels.append(level)
    return levels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--throng", default=os.path.join(ROOT, "build", "throng"), help="the program (default: build/throng)")
    parser.add_argument("--before", help="another build, of which there is one figure")
    parser.add_argument("--only", default="smax/3m,smax/2s3z", help="environments, separated by commas")
    parser.add_argument("--levels", help="instruction sets, separated by commas (default: all that the CPU has)")
    parser.add_argument("--num_envs", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="least processor time of a measurement")
    options = parser.parse_args()
    for env in options.only.split(","):
        levels = options.levels.split(",") if options.levels else known_levels(options.throng, options, env)
        runs = [("before", options.before, "scalar")] if options.before else []
        runs += [(level, options.throng, level) for level in levels]
        rates, states = {name: [] for name, _, _ in runs}, set()
        for _ in range(options.rounds):
            for name, throng, level in runs:
                rates[name].append(rate(throng, level, options, env, options.seconds)[0])
        for name, throng, level in runs:
            states.add(play(throng, level, options, env, 200)[1])
        best = {name: max(values) for name, values in rates.items()}
        first = best[runs[0][0]]
        print(json.dumps({"env": env, "num_envs": options.num_envs, "rounds": options.rounds,
                          "env_steps_per_processor_second": {name: round(value) for name, value in best.items()},
                          "ratio": {name: round(value / first, 2) for name, value in best.items()},
                          "same_state": len(states) == 1}), flush=True)


if __name__ == "__main__":
    main()
