"""Measures self-play, one JSON line each: how long a tournament of 17 takes, and every method's Elo and exploitability.

    python3 bench/self_play.py --throng build/throng --env fighting/round --device cuda --seconds 150 > bench/results/MACHINE/self_play.jsonl

All methods get the same number of learned steps (a league's learners share them). Elo is of one tournament of all, bot:random
at 1000; exploitability is a lower bound, by the best of the exploiters that `throng exploit` trains. With --seconds the steps are
chosen so that all of it takes about that long on this device: half goes to the methods, half to their exploiters.
"""
import argparse
import json
import os
import shutil
import subprocess
import time

ENTROPIES = [0, 0.01, 0.03, 0.1]
METHODS = ([("naive", e) for e in ENTROPIES] + [(m, 0.03) for m in ("fictitious", "psro", "league", "two_timescale")])
LEAGUE_LEARNERS = 4
PLAYERS = 17


def throng(o, *args):
    process = subprocess.run([o.throng, *map(str, args), "--device", o.device], capture_output=True, text=True)
    if process.returncode != 0:
        raise SystemExit(f"throng {' '.join(map(str, args))}: {process.stderr.strip().splitlines()[-1]}")
    return process.stdout


def say(**line):
    print(json.dumps(line), flush=True)


def train(o, folder, method, entropy, steps, **settings):
    learners = {"league": LEAGUE_LEARNERS, "two_timescale": 2}.get(method, 1)
    settings = {"ent_coef": entropy, "total_timesteps": int(steps / learners), "snapshot_steps": max(1, int(steps / learners / o.snapshots)),
                "psro_games": o.psro_games, "eval_episodes": 64, **settings}
    start = time.perf_counter()
    throng(o, "train", o.env, f"selfplay={method}", *(f"{k}={v}" for k, v in settings.items()), *o.settings, "--out", folder, "--quiet")
    return time.perf_counter() - start


def tournament(o, entrants, rounds):
    return json.loads(throng(o, "tournament", *entrants, "--rounds", rounds, "--json"))


def measure_tournament(o):
    """17 snapshots of one run against each other, from both sides."""
    run = os.path.join(o.out, "ladder")
    steps = o.ladder_steps
    seconds = train(o, run, "naive", 0.03, steps, snapshot_steps=int(steps / (2 * PLAYERS)))
    pool = sorted(f for f in os.listdir(os.path.join(run, "pool")) if f.endswith(".safetensors"))
    members = [pool[i * (len(pool) - 1) // (PLAYERS - 1)] for i in range(min(PLAYERS, len(pool)))]
    result = tournament(o, [f"{run}@pool/{m}" for m in members], o.rounds)
    say(type="tournament", env=o.env, device=result["device"], players=len(members), rounds=result["rounds"], seconds=result["seconds"],
        env_steps=result["steps"], env_steps_per_s=result["steps"] / result["seconds"], elo=[p["elo"] for p in result["players"]])
    return steps / seconds


def choose_budgets(o, steps_per_s, seconds):
    """What fits into the time. A program that starts, evaluates and saves costs some of it, whatever it learns."""
    runs, exploiters = len(chosen(o)), 2 * o.seeds
    share = max(0.2 * seconds, seconds - 2.5 * runs * (1 + exploiters)) * steps_per_s / 2
    least = o.ladder_steps / 20  # what is too short tells nothing
    o.steps = max(least, share / runs)
    o.budgets = str(int(max(least, share / (runs * exploiters))))
    say(type="trained", env=o.env, name="ladder", steps=o.ladder_steps, seconds=o.ladder_steps / steps_per_s)


def chosen(o):
    return [(method, entropy) for method, entropy in METHODS if not o.methods or method in o.methods]


def measure_methods(o):
    runs = {}
    for method, entropy in chosen(o):
        name = f"{method}_{entropy}"
        folder = os.path.join(o.out, name)
        seconds = train(o, folder, method, entropy, o.steps)
        runs[name] = {"method": method, "ent_coef": entropy, "folder": folder, "train_seconds": seconds}
        say(type="trained", env=o.env, name=name, steps=o.steps, seconds=seconds)
    result = tournament(o, [r["folder"] for r in runs.values()] + ["bot:random"], o.rounds)
    say(type="pooled", **{k: result[k] for k in ("env", "device", "rounds", "seconds", "cyclic_share", "win_rate", "players")})
    for run, player in zip(runs.values(), result["players"]):
        start = time.perf_counter()
        exploit = json.loads(throng(o, "exploit", run["folder"], "--budgets", o.budgets, "--seeds", o.seeds, "--rounds", o.exploit_rounds, "--json"))
        last = exploit["budgets"][-1]
        say(type="method", env=o.env, device=exploit["device"], method=run["method"], ent_coef=run["ent_coef"], steps=o.steps,
            train_seconds=run["train_seconds"], elo=player["elo"], nash=player["nash"], win_rate=player["win_rate"],
            exploiters=exploit["exploiters"], exploit_steps=last["budget"], exploiter_win_rate=last["win_rate"],
            exploiter_win_rate_low=last["low"], exploiter_win_rate_high=last["high"], exploitability=last["exploitability"],
            exploit_seconds=time.perf_counter() - start)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--throng", default="build/throng")
    p.add_argument("--env", default="fighting/round")
    p.add_argument("--device", default="auto")
    p.add_argument("--out", default="/tmp/self_play", help="folder of the runs; emptied first")
    p.add_argument("--seconds", type=float, help="about how long all of it may take; chooses --steps and --budgets")
    p.add_argument("--steps", type=float, default=1e8, help="learned steps of each method")
    p.add_argument("--ladder_steps", type=float, default=2e7, help="of the run whose snapshots play the tournament of 17")
    p.add_argument("--snapshots", type=int, default=10, help="of each method")
    p.add_argument("--rounds", type=int, default=500, help="of each pair in a tournament")
    p.add_argument("--psro_games", type=int, default=4096)
    p.add_argument("--budgets", default="1e7")
    p.add_argument("--seeds", type=int, default=4, help="exploiters from scratch, and as many clones")
    p.add_argument("--exploit_rounds", type=int, default=16384)
    p.add_argument("--methods", nargs="*")
    p.add_argument("--only", choices=["tournament", "methods"])
    p.add_argument("settings", nargs="*", help="key=value for all runs")
    o = p.parse_args()
    shutil.rmtree(o.out, ignore_errors=True)
    os.makedirs(o.out)
    start = time.perf_counter()
    if o.only != "methods":
        steps_per_s = measure_tournament(o)
        if o.seconds:
            choose_budgets(o, steps_per_s, o.seconds - (time.perf_counter() - start))
    elif o.seconds:
        p.error("--seconds measures the speed with the tournament's run: it does not go with --only methods")
    if o.only != "tournament":
        measure_methods(o)


if __name__ == "__main__":
    main()
