#!/usr/bin/env python3
"""Measures this machine with the standard set of `throng bench` commands and keeps the lines under bench/results.

    python3 bench/collect.py                                 # stepping: on the GPU if there is one, and on the CPU
    python3 bench/collect.py --train smax/3m --train smax/2s3z   # training runs as well
    python3 bench/collect.py --only stepping_cuda --machine my-box

Each part is one file, <out>/<machine>/<part>.jsonl: first a line about the machine, then for every command a line with the
command, then what it printed. A file appears whole, at the end of its part, or not at all. Standard library only.
"""
import argparse
import datetime
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENVS = ["smax/3m", "smax/2s3z", "smax/smacv2_10_units", "smax/27m_vs_30m"]  # those that JaxMARL was measured on
MOMALAND = ["beach/default", "beach/10_agents", "item_gathering/default", "route_choice/braess_1", "route_choice/ow",
            "gem_mining/default", "drones/surround", "drones/escort", "drones/catch", "connect4/7x6", "breakthrough/8x8",
            "samegame/15x15", "ingenious/2_players"]  # those that MOMAland was measured on
STEPPING = {  # part: options of `throng bench`; without --num_envs its own sweep
    "stepping_cuda": ["--device", "cuda"],
    "stepping_cpu": ["--device", "cpu", "--num_envs", "64,256,1024,4096"],
    "stepping_cpu_1_thread": ["--device", "cpu", "--threads", "1", "--num_envs", "256,1024"],
    "momaland_cuda": ["--device", "cuda", "--num_envs", "32768", "--seconds", "0.03", "--windows", "3", "--hash_steps", "5"],
    "momaland_cpu_core": ["--device", "cpu", "--threads", "1", "--num_envs", "4,32,200", "--seconds", "0.1", "--steps_alone"],
}
PINNED = {"momaland_cpu_core"}  # to one core; MOMAland's actions were drawn beforehand, so ours are not counted either
# Games with short steps: a launch still counts where the sweep of `throng bench` ends.
LARGER = {"govsim": "65536,262144,1048576,2097152,4194304", "harvest": "4096,16384,65536,131072,262144,524288"}
SOURCES = ["core", "envs", "algos", "bindings", "meson.build"]  # what decides how fast it is
UPDATE_KEYS = ("type", "update", "timesteps", "seconds", "charts/SPS", "charts/episodic_return", "win_rate")


# --- the machine ----------------------------------------------------------------------------------------------------

def said(*command):
    """What a program prints, or an empty string if it is not there or fails."""
    try:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", f.read(), re.M)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def machine_line(name, commit):
    """What a figure needs beside it to mean anything."""
    gpu = said("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader", "-i", "0")
    gpu_name, memory, driver = (gpu.split(", ") + ["", "", ""])[:3]
    facts = {
        "type": "machine",
        "machine": "",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit or said("git", "rev-parse", "HEAD") or "unknown",
        "changed": bool(said("git", "status", "--porcelain", "--", *SOURCES)),
        "cpu": cpu_model(),
        "cpu_threads": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),  # processes that wanted a core in the last minute
        "gpu": gpu_name,
        "gpu_memory": memory,
        "driver": driver,
        "os": platform.platform(),
    }
    facts["machine"] = name or slug(gpu_name or f"{facts['cpu']} {facts['cpu_threads']} threads")
    return facts


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\((?:r|tm|c)\)", "", text.lower())).strip("-")


# --- measuring ------------------------------------------------------------------------------------------------------

def run(program, *options):
    """The JSON lines that a throng command prints, after one with the command itself."""
    shown = shlex.join(["throng", *options])
    print("collect:", shown, file=sys.stderr)
    done = subprocess.run([program, *options], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"collect: exit status {done.returncode}: {shown}")
    return [{"type": "command", "command": shown}, *(json.loads(line) for line in done.stdout.splitlines())]


def has_gpu(program):
    return any(line.get("check", "").startswith("gpu ") for line in run(program, "doctor", "--json"))


def stepping(program, envs, part):
    def sizes(env):
        game = env.split("/")[0]
        return ["--num_envs", LARGER[game]] if game in LARGER and "--num_envs" not in STEPPING[part] else []

    cores = os.sched_getaffinity(0)
    if part in PINNED:
        os.sched_setaffinity(0, {max(cores)})  # the children inherit it
    lines = [line for env in envs for line in run(program, "bench", env, "--json", *STEPPING[part], *sizes(env))]
    os.sched_setaffinity(0, cores)
    return lines


def training(program, env, device, seed):
    """A run with the environment's preset; of its updates only what the tables need."""
    with tempfile.TemporaryDirectory() as folder:
        out = ["--out", os.path.join(folder, "run")]
        options = ["--device", device, "--seed", str(seed), "--json", "--quiet"]
        command, *lines = run(program, "train", env, *options, *out)
    command["command"] = shlex.join(["throng", "train", env, *options])
    for line in lines:
        line.pop("folder", None)
    thin = [{k: v for k, v in line.items() if k in UPDATE_KEYS} if line["type"] == "update" else line for line in lines]
    return [command, *thin]


def keep(folder, part, lines):
    """Writes <folder>/<part>.jsonl at once or not at all."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, part + ".jsonl")
    with open(path + ".partial", "w", encoding="utf-8") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".partial", path)
    print("collect: wrote", path, file=sys.stderr)


# --- the command ----------------------------------------------------------------------------------------------------

def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(STEPPING), action="append", help="this part of stepping alone (repeatable)")
    parser.add_argument("--train", metavar="ENV", action="append", default=[], help="a training run, too (repeatable)")
    parser.add_argument("--seeds", metavar="N", type=int, default=1, help="training runs of each ENV: seeds 0 to N-1")
    parser.add_argument("--no-stepping", action="store_true", help="training runs alone")
    parser.add_argument("--env", metavar="ENV", action="append", help="step these instead of a part's own")
    parser.add_argument("--machine", help="name of the folder (default: from the GPU or CPU)")
    parser.add_argument("--out", default=os.path.join(ROOT, "bench", "results"), help="default: bench/results")
    parser.add_argument("--program", default=os.path.join(ROOT, "throng"), help="default: the launcher ./throng")
    parser.add_argument("--commit", help="of the code, where there is no git to ask")
    return parser.parse_args()


def main():
    options = arguments()
    facts = machine_line(options.machine, options.commit)
    folder = os.path.join(options.out, facts["machine"])
    gpu = has_gpu(options.program)
    parts = [] if options.no_stepping else options.only or [p for p in STEPPING if gpu or "cuda" not in p]
    for part in parts:
        envs = options.env or (MOMALAND if part.startswith("momaland") else ENVS)
        keep(folder, part, [facts, *stepping(options.program, envs, part)])
    device = "cuda" if gpu else "cpu"
    for env in options.train:
        lines = [line for seed in range(options.seeds) for line in training(options.program, env, device, seed)]
        keep(folder, f"training_{device}_{env.replace('/', '_')}", [facts, *lines])


if __name__ == "__main__":
    main()
