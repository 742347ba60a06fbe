#!/usr/bin/env python3
"""Learns the Pareto front of each multi-objective game with `throng train --algo mo_mappo`, and prints how good it became.

    python3 bench/fronts.py                                  # every game below, on the GPU if there is one
    python3 bench/fronts.py --only beach/10_agents,item_gathering/team_7 --device cpu
    python3 bench/fronts.py --only drones/catch --num_weights 30 -- num_envs=512    # 30 policies instead of one that is told

First a line about the machine, then one JSON object a line: settings, seconds of training, of the whole command and, of single jobs,
of all its processor cores, and for sampled and most probable actions what `throng eval` says of the front. Presets are the
environments' own; on a GPU, where many environments cost little more than few, GPU is laid over them, and over all what comes after
--. With --keep DIR the runs stay; bench/tables.py makes a table of what is kept in bench/results. Standard library only.

Connect4 and breakthrough are not among them: what one player wins the other loses, so the mean over both is no front.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from collect import has_gpu, machine_line

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENVS = {  # what a game needs beside its preset, so that all together take minutes
    "beach/10_agents": [],
    "beach/50_agents": ["num_envs=512", "total_timesteps=2000000"],
    "beach/100_agents": ["num_envs=512", "total_timesteps=2000000"],
    "item_gathering/team_6": [],
    "item_gathering/team_7": [],
    "item_gathering/team_8": [],
    "drones/surround": [],
    "drones/escort": [],
    "drones/catch": [],
    "gem_mining/default": ["num_steps=8", "total_timesteps=500000", "actor_id=true"],
    "gem_mining/3_gems": ["num_steps=8", "total_timesteps=500000", "actor_id=true"],
    "route_choice/pigou": ["num_steps=8", "total_timesteps=200000", "actor_id=true"],
    "route_choice/braess_1": ["num_envs=32", "num_steps=4", "total_timesteps=25600"],
    "samegame/15x15": ["total_timesteps=500000"],
    "ingenious/2_players_small": ["total_timesteps=500000"],
    "principal_agents/two_workers": ["total_timesteps=500000"],
    "principal_agents/market": ["total_timesteps=500000"],
    "smax/3m_components": ["total_timesteps=1000000"],
    "harvest/open_components": ["total_timesteps=500000"],
    "fighting/round": ["env.reward=components", "total_timesteps=500000"],
}
GPU = ["checkpoint_interval=0", "precision=tf32"]
SEEDS = {"item_gathering/team_7": 8}  # on a GPU, side by side; the one with the largest expected utility counts
KEPT = ("hypervolume", "hypervolume_again", "exact_hypervolume", "share_of_exact", "expected_utility", "maximum_utility_loss",
        "igd", "igd_plus", "r2", "sparsity", "cardinality", "reference", "episodes_per_weights")


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command):
    """The last JSON object of a command's output, and how long it took: by the clock, and on processors."""
    began, used = time.monotonic(), cpu_seconds()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"fronts: {' '.join(command)}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1]), time.monotonic() - began, cpu_seconds() - used


def learn(throng, env, settings, seeds, options, folder):
    device = ["--device", options.device, "--threads", str(options.threads)]
    many = ["--num_weights", str(options.num_weights)] if options.num_weights else ["--num_seeds", str(seeds)]
    command = [throng, "train", env, *settings, "--algo", options.algo, "--out", folder, "--quiet", "--json", *device, *many]
    result, wall, cpu = run(command)
    folders = [folder] if options.num_weights or seeds == 1 else [os.path.join(folder, f"seed_{k}") for k in range(seeds)]
    fronts = [run([throng, "eval", each, "--json", *device])[0] for each in folders]
    front = max(fronts, key=lambda each: each["greedy"]["expected_utility"])
    with open(os.path.join(result["folder"], "metrics.jsonl"), encoding="utf-8") as f:
        last = json.loads(f.read().splitlines()[-1])
    line = {"env": env, "version": front["version"], "algo": options.algo, "settings": settings, "device": front["device"],
            "runs": front["runs"], "timesteps": result["timesteps"] * front["runs"] * len(fronts), "seconds": round(last["seconds"], 2),
            "wall_seconds": round(wall, 2), "jobs": options.jobs}
    if len(fronts) > 1:
        line["hypervolumes_of_seeds"] = [each["greedy"]["hypervolume"] for each in fronts]
    if options.jobs == 1:
        line["cpu_seconds"] = round(cpu, 2)
    for kind in ("sampled", "greedy"):
        line[kind] = {key: front[kind][key] for key in KEPT if key in front[kind]}
        line[kind]["points"] = [point["value"] for point in front[kind]["front"]]
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="environments, separated by commas")
    parser.add_argument("--algo", default="mo_mappo")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--num_weights", type=int, default=0, help="decomposition: so many policies of fixed weights")
    parser.add_argument("--throng", default=os.path.join(ROOT, "throng"), help="the program")
    parser.add_argument("--jobs", type=int, default=1, help="games that are learned at the same time")
    parser.add_argument("--machine", help="its name, for bench/tables.py")
    parser.add_argument("--commit", help="of the code, where there is no git to ask")
    parser.add_argument("--keep", help="folder for the runs")
    parser.add_argument("settings", nargs="*", help="key=value for `throng train`, after --")
    options = parser.parse_args()
    envs = options.only.split(",") if options.only else list(ENVS)
    print(json.dumps(machine_line(options.machine, options.commit)), flush=True)
    gpu = options.device.startswith("cuda") or (options.device == "auto" and has_gpu(options.throng))
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(options.jobs) as pool:
        def job(env):
            folder = os.path.join(options.keep or temporary, env.replace("/", "_"))
            settings = [*ENVS.get(env, []), *(GPU if gpu else []), *options.settings]
            return learn(options.throng, env, settings, SEEDS.get(env, 1) if gpu else 1, options, folder)

        for done in as_completed([pool.submit(job, env) for env in envs]):
            print(json.dumps(done.result()), flush=True)


if __name__ == "__main__":
    main()
